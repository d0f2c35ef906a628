import { compareMetric, type Metric } from './campaign.js';
import { logLines } from './training-log.js';

/** What a run printed of its metric before it had ended. */
export interface Estimate {
  /** Of its budget, above 0 and at most 1. */
  readonly fraction: number;
  readonly value: number;
}

// What a job prints is untrusted: this takes linear time whatever stands there.
const ESTIMATE = /^estimate (\d{1,3}(?:\.\d{1,6})?|\.\d{1,6}) \| ([A-Za-z_][\w./-]{0,100}): (\S{1,40})\s*$/;

/** From lines `estimate 0.25 | val_bpb: 1.234`, in order of the fractions; the last holds where one was printed twice. */
export function estimatesOf(log: string, metric: string): Estimate[] {
  const byFraction = new Map<number, number>();
  for (const line of logLines(log)) {
    const [, fraction, name, value] = ESTIMATE.exec(line) ?? [];
    const [at, worth] = [Number(fraction), Number(value)];
    if (name === metric && at > 0 && at <= 1 && Number.isFinite(worth)) byFraction.set(at, worth);
  }
  return [...byFraction].map(([fraction, value]) => ({ fraction, value })).sort((a, b) => a.fraction - b.fraction);
}

const BUDGET = /^Time budget: (\S{1,40})\s*$/;

/** `300s` of the line `Time budget: 300s`; null where the script says nothing of it. A quarter of another budget is no measure of this one. */
export const budgetOf = (log: string): string | null =>
  logLines(log).flatMap((line) => BUDGET.exec(line)?.[1] ?? [])[0] ?? null;

/** Fewer finished runs say little of where their middle is. */
const HOPELESS_MIN_FINISHED = 5;

export interface Hopeless {
  readonly fraction: number;
  /** The run's best estimate so far. */
  readonly value: number;
  readonly median: number;
  /** How much worse than the median it may be and go on. */
  readonly margin: number;
  readonly finished: number;
}

/**
 * The median stopping rule (Golovin et al., "Google Vizier", KDD 2017, §3.2.2): a run is stopped when its best value up to a point is worse
 * than the median of the finished ones at that point. That ends half of all runs, so here it must be worse by a margin too: two standard
 * deviations of those estimates, each 1.4826 times their median absolute deviation. Decided on the last fraction that the run printed.
 * @returns null: it may go on
 */
export function hopelessBy(
  run: readonly Estimate[],
  finished: readonly (readonly Estimate[])[],
  { goal }: Metric,
): Hopeless | null {
  const last = run.at(-1);
  if (!last) return null;
  const { fraction } = last;
  const peers = finished.flatMap((estimates) => estimates.find((peer) => peer.fraction === fraction)?.value ?? []);
  if (peers.length < HOPELESS_MIN_FINISHED) return null;
  const value = run.map((estimate) => estimate.value).reduce((a, b) => (compareMetric(goal, a, b) <= 0 ? a : b));
  const median = medianOf(peers);
  const margin = 2 * 1.4826 * medianOf(peers.map((peer) => Math.abs(peer - median)));
  if (compareMetric(goal, value, median) <= margin) return null;
  return { fraction, value, median, margin, finished: peers.length };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? 0) + upper) / 2 : upper;
}
