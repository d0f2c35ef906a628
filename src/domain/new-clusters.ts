import { isOver } from './cost.js';
import { dearest, isOfKind } from './price.js';

/** A kind of cluster that would do. */
export interface Kind {
  readonly accelerators: string;
  /** How many could be launched now; Infinity where nobody counts. */
  readonly free: number;
  readonly pricePerHourUsd: number | null;
}

/** A cluster that is there or on its way: what it is, or any of what it may become. */
export interface Held {
  /** The first is what it should be if it can. */
  readonly kinds: readonly string[];
  readonly pricePerHourUsd: number | null;
}

export interface FleetLimits {
  readonly clusters: number;
  /** By `H100` or `H100:8`. */
  readonly accelerators: Readonly<Record<string, number>>;
  readonly usdPerHour: number | null;
}

export type Bound = 'max_clusters' | 'accelerators' | 'max_cost_per_hour_usd' | 'capacity';

export interface NewClusters {
  readonly clusters: readonly Held[];
  /** What kept it from one more; null when it is as many as wanted. */
  readonly bound: Bound | null;
}

/**
 * At most `count` clusters beside those that are held, each of any kind that no limit excludes by then: limits count a
 * cluster as everything that it may become, and as the dearest of it.
 */
export function newClusters(
  count: number,
  kinds: readonly Kind[],
  held: readonly Held[],
  limits: FleetLimits,
): NewClusters {
  const clusters: Held[] = [];
  while (clusters.length < count) {
    const all = [...held, ...clusters];
    if (all.length >= limits.clusters) return { clusters, bound: 'max_clusters' };
    const counted = kinds.filter((kind) => isWithinCounts(kind, all, limits.accelerators));
    if (counted.length === 0) return { clusters, bound: 'accelerators' };
    const affordable = counted.filter((kind) => isAffordable(kind, all, limits.usdPerHour));
    if (affordable.length === 0) return { clusters, bound: 'max_cost_per_hour_usd' };
    const names = freeFirst(affordable, clusters).map(({ accelerators }) => accelerators);
    if (!areFree(names, kinds, clusters)) return { clusters, bound: 'capacity' };
    clusters.push({ kinds: names, pricePerHourUsd: dearest(affordable.map((kind) => kind.pricePerHourUsd)) });
  }
  return { clusters, bound: null };
}

/** In the order given, but what earlier clusters will have taken comes last: nobody should wait for it while another is free. */
function freeFirst(kinds: readonly Kind[], clusters: readonly Held[]): Kind[] {
  const isTaken = ({ accelerators, free }: Kind): boolean =>
    clusters.filter(({ kinds: [first] }) => first === accelerators).length >= free;
  return [...kinds.filter((kind) => !isTaken(kind)), ...kinds.filter(isTaken)];
}

const isWithinCounts = ({ accelerators }: Kind, all: readonly Held[], counts: FleetLimits['accelerators']): boolean =>
  Object.entries(counts)
    .filter(([key]) => isOfKind(accelerators, key))
    .every(([key, most]) => all.filter(({ kinds }) => kinds.some((name) => isOfKind(name, key))).length < most);

/** Without its price, or that of any cluster there is, nobody can say that a limit is kept. */
function isAffordable({ pricePerHourUsd }: Kind, all: readonly Held[], most: number | null): boolean {
  if (most === null) return true;
  const prices = [pricePerHourUsd, ...all.map((cluster) => cluster.pricePerHourUsd)];
  return !isOver(
    prices.reduce<number>((sum, price) => sum + (price ?? Number.POSITIVE_INFINITY), 0),
    most,
  );
}

/** As limits only exclude more and more, each set of kinds holds the next: enough is free when it is for each set alone. */
function areFree(names: readonly string[], kinds: readonly Kind[], clusters: readonly Held[]): boolean {
  return [names, ...clusters.map((cluster) => cluster.kinds)].every((set) => {
    const free = kinds
      .filter(({ accelerators }) => set.includes(accelerators))
      .reduce((sum, kind) => sum + kind.free, 0);
    return clusters.filter((cluster) => cluster.kinds.every((name) => set.includes(name))).length < free;
  });
}
