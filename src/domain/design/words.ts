/** An effect as a set of factors: bit i is factor i. 0b1011 is A×B×D; 0 is the mean, I. */
export type Word = number;

export const lengthOf = (word: Word): number => (word === 0 ? 0 : (word & 1) + lengthOf(word >>> 1));

export const nameOf = (word: Word, names: readonly string[]): string =>
  word === 0 ? 'I' : names.filter((_, index) => (word >>> index) & 1).join('×');

/** Shorter first, then the earlier factors. */
export const inOrder = (words: Iterable<Word>): Word[] =>
  [...words].sort((a, b) => lengthOf(a) - lengthOf(b) || reversed(a) - reversed(b));

/** Of two words of one length the one that holds an earlier factor comes first: ABC before ABD. */
const reversed = (word: Word): number => {
  let key = 0;
  for (let bit = 0; bit < 16; bit++) key = key * 2 + (1 - ((word >>> bit) & 1));
  return key;
};

/** All products of the generating words, I among them: 2^p words. Box, Hunter & Hunter 1978, ch. 12. */
export const groupOf = (generators: readonly Word[]): Word[] =>
  generators.reduce<Word[]>((group, word) => group.concat(group.map((other) => other ^ word)), [0]);

/** Main effects, then two-factor interactions, of `count` factors. */
export function lowOrderWords(count: number): Word[] {
  const mains = Array.from({ length: count }, (_, index) => 1 << index);
  return [...mains, ...mains.flatMap((a, index) => mains.slice(index + 1).map((b) => a | b))];
}

/**
 * Which effects one estimate stands for: each main effect and two-factor interaction with the words that have the same
 * column, shortest first. Each set once; an effect that stands alone is a set of one.
 * @param group the words whose column is all +1, I among them
 */
export function aliasSets(count: number, group: readonly Word[]): Word[][] {
  const sets: Word[][] = [];
  const seen = new Set<Word>();
  for (const word of lowOrderWords(count)) {
    if (seen.has(word)) continue;
    const set = inOrder(group.map((other) => other ^ word));
    for (const member of set) seen.add(member);
    sets.push(set);
  }
  return sets;
}

/** `A = B×C×D`: main effects and two-factor interactions, and beyond them the shortest words only. Sets of one are left out. */
export function aliasLines(sets: readonly (readonly Word[])[], names: readonly string[]): string[] {
  return sets.flatMap((set) => {
    const [, second] = set;
    if (second === undefined) return [];
    const longest = Math.max(2, lengthOf(second));
    return set
      .filter((word) => lengthOf(word) <= longest)
      .map((word) => nameOf(word, names))
      .join(' = ');
  });
}
