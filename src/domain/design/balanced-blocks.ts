import type { Column } from './columns.js';
import { type Seeded, seeded } from './seeded.js';

export interface Seat {
  readonly cluster: string;
  readonly accelerator: string | null;
}

/** Starts of the search; with the points of a wave all but the first few end in the same place. */
const STARTS = 12;

/**
 * Which seat each point takes: an order of `seats` such that the squared correlations of the factors' columns with the
 * clusters and the accelerators are as small as an exchange search finds them (Cook & Nachtsheim 1989: swap two points as
 * long as it helps, from several seeded starts).
 */
export function balancedSeats(columns: readonly Column[], seats: readonly Seat[], seed: number): number[] {
  const random = seeded(seed);
  const groups = groupsOf(seats);
  let best: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (let start = 0; start < STARTS && least > 1e-12; start++) {
    const seatOf = exchanged(columns, groups, startOf(seats, random));
    const score = scoreOf(columns, groups, seatOf);
    if (score < least - 1e-12) [best, least] = [seatOf, score];
  }
  return best;
}

const startOf = (seats: readonly Seat[], random: Seeded): number[] => random.shuffled(seats.map((_, index) => index));

/** The seats of each cluster and of each accelerator; those that hold all seats set nothing apart. */
export function groupsOf(seats: readonly Seat[]): ReadonlySet<number>[] {
  const groups = new Map<string, Set<number>>();
  for (const [index, { cluster, accelerator }] of seats.entries()) {
    for (const key of [`cluster ${cluster}`, ...(accelerator === null ? [] : [`accelerator ${accelerator}`])]) {
      groups.set(key, (groups.get(key) ?? new Set()).add(index));
    }
  }
  return [...groups.values()].filter(({ size }) => size < seats.length);
}

/** Correlation of a column, of mean 0 and mean square 1, with being in the group. */
export function correlation({ values }: Column, group: ReadonlySet<number>, seatOf: readonly number[]): number {
  const sum = seatOf.reduce((total, seat, point) => total + (group.has(seat) ? (values[point] ?? 0) : 0), 0);
  const share = group.size / values.length;
  return sum / values.length / Math.sqrt(share * (1 - share));
}

const scoreOf = (columns: readonly Column[], groups: readonly ReadonlySet<number>[], seatOf: readonly number[]) =>
  columns.reduce(
    (total, column) => groups.reduce((sum, group) => sum + correlation(column, group, seatOf) ** 2, total),
    0,
  );

function exchanged(
  columns: readonly Column[],
  groups: readonly ReadonlySet<number>[],
  start: readonly number[],
): number[] {
  const seatOf = [...start];
  const count = seatOf.length;
  const weights = groups.map(({ size }) => 1 / (size * (1 - size / count) * count));
  const sums = groups.map((group) =>
    columns.map(({ values }) =>
      seatOf.reduce((sum, seat, point) => sum + (group.has(seat) ? (values[point] ?? 0) : 0), 0),
    ),
  );
  const isIn = groups.map((group) => seatOf.map((_, seat) => Number(group.has(seat))));
  /** Into `group` comes b and out goes a (+1), or the other way (−1), or neither (0). */
  const turn = (group: number, a: number, b: number): number =>
    (isIn[group]?.[seatOf[a] ?? 0] ?? 0) - (isIn[group]?.[seatOf[b] ?? 0] ?? 0);
  const gainOf = (a: number, b: number): number =>
    groups.reduce((gain, _, group) => {
      const by = turn(group, a, b);
      if (by === 0) return gain;
      return columns.reduce((sum, { values }, column) => {
        const now = sums[group]?.[column] ?? 0;
        const then = now + by * ((values[b] ?? 0) - (values[a] ?? 0));
        return sum + (weights[group] ?? 0) * (now * now - then * then);
      }, gain);
    }, 0);
  for (let improved = true; improved; ) {
    improved = false;
    for (let a = 0; a < count; a++) {
      for (let b = a + 1; b < count; b++) {
        if (gainOf(a, b) <= 1e-9) continue;
        for (const [group, of] of sums.entries()) {
          const by = turn(group, a, b);
          for (const [column, { values }] of columns.entries()) {
            of[column] = (of[column] ?? 0) + by * ((values[b] ?? 0) - (values[a] ?? 0));
          }
        }
        [seatOf[a], seatOf[b]] = [seatOf[b] ?? 0, seatOf[a] ?? 0];
        improved = true;
      }
    }
  }
  return seatOf;
}
