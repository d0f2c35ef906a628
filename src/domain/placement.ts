/** A cluster that could take work: how much of it waits there already. */
export interface Queue<Name> {
  readonly cluster: Name;
  /** Seconds until it would start one more: what still runs and what waits before it. */
  readonly busySeconds: number;
}

/**
 * Which cluster takes each of `count` runs of `runSeconds`, in order: always the one that would end it first (greedy list
 * scheduling), the earlier named where two would. Empty when there is no cluster.
 */
export function placeRuns<Name>(count: number, runSeconds: number, queues: readonly Queue<Name>[]): Name[] {
  const free = queues.map(({ cluster, busySeconds }) => ({ cluster, at: busySeconds }));
  const placed: Name[] = [];
  for (let run = 0; run < count; run++) {
    const first = free.reduce<(typeof free)[number] | undefined>(
      (best, queue) => (best === undefined || queue.at < best.at ? queue : best),
      undefined,
    );
    if (first === undefined) return [];
    first.at += runSeconds;
    placed.push(first.cluster);
  }
  return placed;
}

/**
 * Fewest clusters that finish `count` equal runs as early as `most` clusters would: 9 runs on at most 8 clusters take two
 * rounds either way, so 5 do.
 */
export function clustersWorthHaving(count: number, most: number): number {
  if (count === 0 || most === 0) return 0;
  const rounds = Math.ceil(count / most);
  return Math.ceil(count / rounds);
}
