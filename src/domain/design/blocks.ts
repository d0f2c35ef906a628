import { AutoresearchError } from '../errors.js';
import { balancedSeats, correlation, groupsOf, type Seat } from './balanced-blocks.js';
import { blocksByInteraction } from './block-generators.js';
import { type Column, columnsOf } from './columns.js';
import type { Point } from './planned.js';
import { seeded } from './seeded.js';

/** A cluster and how many runs of the wave it takes. */
export interface Share {
  readonly cluster: string;
  /** null: not known, or no accelerator. */
  readonly accelerator: string | null;
  readonly runs: number;
}

export interface Spread {
  /** Cluster of each point. */
  readonly clusters: readonly string[];
  /** Interactions that cannot be told from the clusters, nor can their products; empty where an exchange search decided. */
  readonly generators: readonly string[];
  /** By factor: the largest |correlation| of one of its levels with one cluster or one accelerator, 0 to 1. */
  readonly correlations: Readonly<Record<string, number>>;
}

/**
 * Spreads points over clusters so that no factor goes along with a cluster or an accelerator: by interactions of the
 * highest order where two-level points fall into 2, 4 or 8 equal blocks, else by an exchange search.
 * @throws invalid_input when the clusters take another number of runs than there are points
 */
export function spreadOverClusters(points: readonly Point[], shares: readonly Share[], seed: number): Spread {
  const seats = shares.flatMap(({ cluster, accelerator, runs }) =>
    Array.from({ length: runs }, (): Seat => ({ cluster, accelerator })),
  );
  if (seats.length !== points.length) {
    throw new AutoresearchError(
      'invalid_input',
      `The clusters take ${seats.length} runs; there are ${points.length} points.`,
      'Give each cluster its number of runs, as many in all as there are points.',
    );
  }
  const columns = columnsOf(points);
  const byInteraction = blockedByInteraction(columns, shares, seats, seed);
  const seatOf = byInteraction?.seatOf ?? balancedSeats(columns, seats, seed);
  return {
    clusters: seatOf.map((seat) => seats[seat]?.cluster ?? ''),
    generators: byInteraction?.generators ?? [],
    correlations: largestCorrelations(columns, seats, seatOf),
  };
}

/** Which block goes to which cluster is left to chance: the contrast of two accelerators is not always the same one. */
function blockedByInteraction(
  columns: readonly Column[],
  shares: readonly Share[],
  seats: readonly Seat[],
  seed: number,
) {
  const isEqual = shares.every(({ runs }) => runs === shares[0]?.runs);
  const isTwoLevel =
    columns.every(({ values }) => values.every((value) => Math.abs(Math.abs(value) - 1) < 1e-9)) &&
    new Set(columns.map(({ factor }) => factor)).size === columns.length;
  if (![2, 4, 8].includes(shares.length) || !isEqual || !isTwoLevel || columns.length > 11) return null;
  const blocked = blocksByInteraction(columns, shares.length);
  if (!blocked) return null;
  const clusterOfBlock = seeded(seed).shuffled(shares.map(({ cluster }) => cluster));
  const free = seats.map((_, seat) => seat);
  const seatOf = blocked.blocks.map((block) => {
    const at = free.findIndex((seat) => seats[seat]?.cluster === clusterOfBlock[block]);
    return free.splice(at, 1)[0] ?? 0;
  });
  return { seatOf, generators: blocked.generators };
}

function largestCorrelations(columns: readonly Column[], seats: readonly Seat[], seatOf: readonly number[]) {
  const largest: Record<string, number> = {};
  for (const column of columns) {
    const here = groupsOf(seats).map((group) => Math.abs(correlation(column, group, seatOf)));
    largest[column.factor] = Math.max(largest[column.factor] ?? 0, ...here);
  }
  return largest;
}
