import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export interface Seeded {
  /** 0 (included) to 1 (excluded). */
  share(): number;
  /** Each order equally likely (Fisher & Yates). */
  shuffled<Item>(items: readonly Item[]): Item[];
}

/** The same seed, a whole number, gives the same numbers on every machine. */
export function seeded(seed: number): Seeded {
  const random = xoroshiro128plus(seed);
  return {
    share: () => uniformFloat64(random),
    shuffled(items) {
      const left = [...items];
      return items.flatMap(() => left.splice(uniformInt(random, 0, left.length - 1), 1));
    },
  };
}

/** A seed for a text, so that a design that is looked at and then launched has the same points. FNV-1a, 32 bits. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash | 0;
}
