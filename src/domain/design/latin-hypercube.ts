import { AutoresearchError } from '../errors.js';
import type { Literal } from '../experiment.js';
import {
  alongRange,
  checkedRange,
  type Factor,
  type Factors,
  isRange,
  isWhole,
  levelsOf,
  roundedWhere,
} from './factor.js';
import { type Ask, assertFewEnough, type DesignKind, type Planned, type Point, UNCONFOUNDED } from './planned.js';
import { type Seeded, seeded } from './seeded.js';

/** Beyond this many the best of them hardly spreads further. */
const TRIES = 100;

/** Fewer say next to nothing of a space with this many sides. */
const POINTS_A_FACTOR = 3;

export const latinHypercube: DesignKind<'latin_hypercube'> = {
  name: 'latin_hypercube',
  plan(factors: Factors, { size, seed }: Ask): Planned {
    const names = Object.keys(factors);
    const runs = size ?? Math.max(8, POINTS_A_FACTOR * names.length);
    assertFewEnough(runs);
    if (runs < 2) {
      throw new AutoresearchError('invalid_input', `size is ${runs}.`, 'A latin_hypercube needs 2 points or more.');
    }
    const at = names.map((name) => placed(name, factors[name] ?? []));
    const points = maximinHypercube(runs, names.length, seed).map(
      (row): Point =>
        Object.fromEntries(names.map((name, column) => [name, at[column]?.(row[column] ?? 0, runs) ?? null])),
    );
    return {
      points,
      levels: Object.fromEntries(names.map((name) => [name, valuesOf(points, name)])),
      ...UNCONFOUNDED,
      separates: `Each range is cut into ${runs} equal slices with one point in each: trends over each factor show. It estimates no interaction on its own; the columns are nearly, not wholly, uncorrelated.`,
    };
  },
};

/**
 * McKay, Beckman & Conover 1979: `runs` points in [0, 1)^factors with one in each slice [i/runs, (i+1)/runs) of every
 * dimension. The best of some by the smallest distance between two points (maximin, Johnson, Moore & Ylvisaker 1990).
 */
export function maximinHypercube(runs: number, factors: number, seed: number): number[][] {
  const random = seeded(seed);
  let best: number[][] = hypercube(runs, factors, random);
  let furthest = smallestDistance(best);
  for (let attempt = 1; attempt < TRIES; attempt++) {
    const other = hypercube(runs, factors, random);
    const distance = smallestDistance(other);
    if (distance > furthest) [best, furthest] = [other, distance];
  }
  return best;
}

function hypercube(runs: number, factors: number, random: Seeded): number[][] {
  const slices = Array.from({ length: runs }, (_, slice) => slice);
  const columns = Array.from({ length: factors }, () =>
    random.shuffled(slices).map((slice) => (slice + random.share()) / runs),
  );
  return slices.map((run) => columns.map((column) => column[run] ?? 0));
}

/** Squared. */
function smallestDistance(points: readonly (readonly number[])[]): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (const [index, a] of points.entries()) {
    for (const b of points.slice(index + 1)) {
      smallest = Math.min(
        smallest,
        a.reduce((sum, value, column) => sum + (value - (b[column] ?? 0)) ** 2, 0),
      );
    }
  }
  return smallest;
}

type Place = (share: number, runs: number) => Literal;

/** From a place in [0, 1) to a value: rounded as far as it stays in its slice; a list's levels equally often. */
function placed(name: string, factor: Factor): Place {
  if (!isRange(factor)) {
    const levels = levelsOf(name, factor);
    return (share) => levels[Math.floor(share * levels.length)] ?? null;
  }
  const range = checkedRange(name, factor);
  if (isWhole(range)) return (share) => range.low + Math.floor(share * (range.high - range.low + 1));
  return (share, runs) => {
    const slice = Math.floor(share * runs);
    const [from, to] = [alongRange(range, slice / runs), alongRange(range, (slice + 1) / runs)];
    return roundedWhere(alongRange(range, share), (value) => value >= from && value < to);
  };
}

function valuesOf(points: readonly Point[], name: string): Literal[] {
  const values = new Map(points.map((point) => [JSON.stringify(point[name]), point[name] ?? null]));
  return [...values.values()].sort((a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : 0));
}
