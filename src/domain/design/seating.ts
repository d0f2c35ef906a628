import type { Seat } from './balanced-blocks.js';
import { spreadOverClusters } from './blocks.js';
import type { Point } from './planned.js';
import { placeSentinels } from './sentinels.js';

export interface Seating {
  /** Cluster of each point. */
  readonly points: readonly string[];
  /** Clusters of the sentinels. */
  readonly sentinels: readonly string[];
  /** Cluster of each run that is neither. */
  readonly others: readonly string[];
  /** Interactions that cannot be told from the clusters; empty where none had to be given up. */
  readonly generators: readonly string[];
  /** By factor: its largest |correlation| with a cluster or an accelerator, 0 to 1. */
  readonly correlations: Readonly<Record<string, number>>;
}

interface Wave {
  /** Clusters as the fleet would take the runs, one a run, in order. */
  readonly placed: readonly string[];
  /** Each cluster that is placed on, once. */
  readonly clusters: readonly Seat[];
  readonly points: readonly Point[];
  readonly sentinels: number;
  readonly others: number;
  /** Counts up from wave to wave. */
  readonly rotation: number;
  readonly seed: number;
}

/**
 * Who runs where, the fleet having said how many runs each cluster takes: sentinels one on each accelerator at least, points
 * such that no factor goes along with a cluster. Points that say no levels, those of a list, stay in the order placed.
 * @param wave `placed` holds points, sentinels and others
 */
export function seatRuns({ placed, clusters, points, sentinels, others, rotation, seed }: Wave): Seating {
  const free = [...placed];
  const forSentinels = placeSentinels(clusters, sentinels, rotation)
    .slice(0, sentinels)
    .map((cluster) => taken(free, cluster));
  const forOthers = free.splice(0, others);
  const isDesign = points.some((point) => Object.keys(point).length > 0);
  if (!isDesign) return { points: free, sentinels: forSentinels, others: forOthers, generators: [], correlations: {} };
  const shares = clusters
    .map((seat) => ({ ...seat, runs: free.filter((cluster) => cluster === seat.cluster).length }))
    .filter(({ runs }) => runs > 0);
  const spread = spreadOverClusters(points, shares, seed);
  return {
    points: spread.clusters,
    sentinels: forSentinels,
    others: forOthers,
    generators: spread.generators,
    correlations: spread.correlations,
  };
}

/** A place on the cluster; where all of its are taken, the place that would have come last. */
function taken(free: string[], cluster: string): string {
  const at = free.indexOf(cluster);
  return free.splice(at >= 0 ? at : free.length - 1, 1)[0] ?? cluster;
}

/** One on each accelerator of the wave, where there are to be any. */
export const enoughSentinels = (clusters: readonly Seat[], count: number): number =>
  placeSentinels(clusters, count, 0).length;
