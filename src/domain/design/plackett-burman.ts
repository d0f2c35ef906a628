import { AutoresearchError } from '../errors.js';
import type { Factors } from './factor.js';
import type { Ask, DesignKind, Planned } from './planned.js';
import { pointsOf, twoLevelsOf } from './two-levels.js';

/** The generating row of Plackett & Burman 1946 for 12 runs; turned round 11 times, and a row of −1 below. */
const FIRST_ROW = [1, 1, -1, 1, 1, 1, -1, -1, -1, 1, -1] as const;
const RUNS = 12;

export const plackettBurmanRows = (): number[][] => [
  ...FIRST_ROW.map((_, turn) => FIRST_ROW.map((_, column) => FIRST_ROW[(column - turn + 11) % 11] ?? -1)),
  FIRST_ROW.map(() => -1),
];

export const plackettBurman: DesignKind<'plackett_burman'> = {
  name: 'plackett_burman',
  plan(factors: Factors, { size }: Ask): Planned {
    const levels = twoLevelsOf('plackett_burman', factors);
    const names = Object.keys(levels);
    if (names.length < 2 || names.length > 11 || (size ?? RUNS) !== RUNS) {
      throw new AutoresearchError(
        'invalid_input',
        `A plackett_burman has ${RUNS} runs and takes 2 to 11 factors; asked for were ${size ?? RUNS} runs of ${names.length}.`,
        'Leave size out; for other sizes take fractional_factorial (8, 16 or 32 runs).',
      );
    }
    return {
      points: pointsOf(plackettBurmanRows(), levels),
      levels,
      generators: [],
      definingRelation: null,
      resolution: 3,
      aliases: names.length < 3 ? [] : names.map((name) => partialAliases(name, names)),
      separates:
        'Main effects are told apart from each other, but each carries a third, plus or minus, of every two-factor interaction of the other factors. It screens: confirm what looks large with a design over those factors.',
    };
  },
};

/** In 12 runs the column of a product of two others has inner product ±4 with each column: ±1/3 of it. */
function partialAliases(name: string, names: readonly string[]): string {
  const others = names.filter((other) => other !== name);
  const pairs = others.flatMap((a, index) => others.slice(index + 1).map((b) => `${a}×${b}`));
  return pairs.length <= 3
    ? `${name} ± ${pairs.map((pair) => `⅓ ${pair}`).join(' ± ')}`
    : `${name} ± ⅓ of each of the ${pairs.length} two-factor interactions without ${name}`;
}
