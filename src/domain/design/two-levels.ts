import { AutoresearchError } from '../errors.js';
import type { Literal } from '../experiment.js';
import { endsOf, type Factors } from './factor.js';
import type { Point } from './planned.js';

export type TwoLevels = Readonly<Record<string, readonly [Literal, Literal]>>;

/**
 * Low (coded −1) and high (+1) of each factor; the first and second of a list.
 * @throws invalid_input for a factor with fewer or more
 */
export function twoLevelsOf(kind: string, factors: Factors): TwoLevels {
  return Object.fromEntries(
    Object.entries(factors).map(([name, factor]) => {
      const levels = endsOf(name, factor);
      const [low, high] = levels;
      if (low !== undefined && high !== undefined && levels.length === 2) return [name, [low, high] as const];
      throw new AutoresearchError(
        'invalid_input',
        `${name} has ${levels.length} ${levels.length === 1 ? 'level' : 'levels'}; a ${kind} takes exactly 2.`,
        `Give {"${name}": [LOW, HIGH]} or {"low": …, "high": …}; for more levels take full_factorial, one_factor or latin_hypercube.`,
      );
    }),
  );
}

/** Rows of ±1, a column a factor in order, as points. */
export const pointsOf = (rows: readonly (readonly number[])[], levels: TwoLevels): Point[] =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(levels).map(([name, [low, high]], column) => [name, row[column] === 1 ? high : low]),
    ),
  );
