import { lengthOf, type Word } from './words.js';

/**
 * Generators of the 2^(k−p) fractions of minimum aberration, by number of runs and factors: those of Box, Hunter & Hunter
 * 1978, table 12.15, and NIST/SEMATECH e-Handbook 5.3.3.4.7. The first log2(runs) factors are a full factorial in A, B,
 * C, …; each word here makes one more.
 */
const GENERATORS: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  4: { 3: 'AB' },
  8: { 4: 'ABC', 5: 'AB AC', 6: 'AB AC BC', 7: 'AB AC BC ABC' },
  16: {
    5: 'ABCD',
    6: 'ABC BCD',
    7: 'ABC BCD ACD',
    8: 'BCD ACD ABC ABD',
    9: 'ABC BCD ACD ABD ABCD',
    10: 'ABC BCD ACD ABD ABCD AB',
  },
  32: {
    6: 'ABCDE',
    7: 'ABCD ABDE',
    8: 'ABC ABD BCDE',
    9: 'BCDE ACDE ABDE ABCE',
    10: 'ABCD ABCE ABDE ACDE BCDE',
  },
};

export interface Fraction {
  readonly runs: number;
  /** Full factorial of the first factors: log2(runs) of them. */
  readonly base: number;
  /** The product of base factors that makes each further factor. */
  readonly generators: readonly Word[];
}

/** The fractions there are for `factors` two-level factors, the smallest first. */
export function fractionsFor(factors: number): Fraction[] {
  return Object.entries(GENERATORS).flatMap(([runs, table]) => {
    const words = table[factors]?.split(' ');
    return words ? [{ runs: Number(runs), base: Math.log2(Number(runs)), generators: words.map(wordOf) }] : [];
  });
}

const wordOf = (letters: string): Word =>
  [...letters].reduce((word, letter) => word | (1 << (letter.charCodeAt(0) - 'A'.charCodeAt(0))), 0);

/** The words of the defining relation that generate all others: the product with its own factor. */
export const definingWords = ({ base, generators }: Fraction): Word[] =>
  generators.map((word, index) => word | (1 << (base + index)));

/** A row a run and a column a factor, ±1, the last base factor changing fastest. */
export const rowsOf = ({ runs, base, generators }: Fraction): number[][] =>
  Array.from({ length: runs }, (_, run) => {
    const row = Array.from({ length: base }, (_, factor) => ((run >>> (base - 1 - factor)) & 1 ? 1 : -1));
    return [...row, ...generators.map((word) => productOf(row, word))];
  });

const productOf = (row: readonly number[], word: Word): number =>
  row.reduce((product, value, factor) => ((word >>> factor) & 1 ? product * value : product), 1);

/** Length of the shortest word of the defining relation. */
export const resolutionOf = (group: readonly Word[]): number =>
  Math.min(...group.filter((word) => word !== 0).map(lengthOf));
