import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { mersenne } from 'pure-rand/generator/mersenne';

/** Random numbers that are the same in every run with the same seed. */
export interface Dice {
  /** From 0 up to, not including, 1. */
  readonly uniform: () => number;
  /** Standard normal, by Box & Muller. */
  readonly normal: () => number;
}

export function dice(seed: number): Dice {
  const generator = mersenne(seed);
  const uniform = () => uniformFloat64(generator);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}
