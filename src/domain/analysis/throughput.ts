import type { Experiment } from '../experiment.js';

const HOUR_MS = 3_600_000;

export interface Throughput {
  /** First planned to last ended, or to now while something runs; hours. */
  readonly wallHours: number;
  /** What one GPU would have needed: the sum of all run times, to now for those that run; hours. */
  readonly sequentialHours: number;
  /** Those that ran to an end of their own, cancelled ones not among them. */
  readonly experimentsPerHour: number;
  /** Run time over the time that the clusters were up, 0 to 1; null before a cluster was up. */
  readonly busyShare: number | null;
  /** sequentialHours / wallHours. */
  readonly speedUp: number;
}

export interface ClusterLife {
  readonly from: number;
  /** null: still up. */
  readonly to: number | null;
}

/** How well the fleet was used; null before anything started. Times in milliseconds since 1970. */
export function throughput(
  experiments: readonly Pick<Experiment, 'plannedAt' | 'startedAt' | 'endedAt' | 'state'>[],
  lives: readonly ClusterLife[],
  now: number,
): Throughput | null {
  const started = experiments.flatMap(({ startedAt, endedAt, state }) =>
    startedAt === null ? [] : [{ startedAt, endedAt, state }],
  );
  if (started.length === 0) return null;
  const begin = Math.min(...experiments.map(({ plannedAt }) => plannedAt));
  const end = Math.max(...started.map(({ endedAt }) => endedAt ?? now));
  const runMs = started.reduce((sum, { startedAt, endedAt }) => sum + Math.max(0, (endedAt ?? now) - startedAt), 0);
  const upMs = lives.reduce((sum, { from, to }) => sum + Math.max(0, (to ?? now) - from), 0);
  const wallHours = Math.max(1, end - begin) / HOUR_MS;
  const sequentialHours = runMs / HOUR_MS;
  return {
    wallHours,
    sequentialHours,
    experimentsPerHour:
      started.filter(({ endedAt, state }) => endedAt !== null && state !== 'cancelled').length / wallHours,
    busyShare: upMs > 0 ? Math.min(1, runMs / upMs) : null,
    speedUp: sequentialHours / wallHours,
  };
}
