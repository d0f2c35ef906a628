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

/** A run that waits, and what it still waits for, as far as anybody knows. */
export interface Waiting<Run> {
  readonly run: Run;
  /** Infinity where nobody can say. */
  readonly startsInSeconds: number;
}

/** For each idle cluster, in order, of the runs that it could take the one that would wait longest, if that is long enough. */
export function movesToIdle<Run, Cluster>(
  waiting: readonly Waiting<Run>[],
  idle: readonly Cluster[],
  leastGainSeconds: number,
  mayRunOn: (run: Run, cluster: Cluster) => boolean,
): { run: Run; to: Cluster }[] {
  const left = waiting
    .filter(({ startsInSeconds }) => startsInSeconds >= leastGainSeconds)
    .toSorted((a, b) => b.startsInSeconds - a.startsInSeconds);
  return idle.flatMap((to) => {
    const index = left.findIndex(({ run }) => mayRunOn(run, to));
    const [chosen] = index < 0 ? [] : left.splice(index, 1);
    return chosen ? [{ run: chosen.run, to }] : [];
  });
}
