import type { FleetCluster } from '../domain/campaign.js';
import { type Experiment, isSettled } from '../domain/experiment.js';
import type { ClusterId } from '../domain/ids.js';
import type { Store } from '../store/store.js';
import { isAnySubmissionUnderWay, isUnderWay, submissionTo } from './cluster-work.js';
import { typicalRunSeconds } from './fleet.js';
import type { Lab } from './lab.js';
import { isBeingMoved } from './move-run.js';

/** Of `pollMs`: a cluster of which no news is due is asked so seldom, in case of a crash. */
const QUIET = 12;
/** Of `pollMs`: a run's end is looked for so much later where another waits behind it, for the cluster goes on by itself. */
const UNHURRIED = 2;

const lookedAtOf = new WeakMap<Store, Map<ClusterId, number>>();

const lookedAt = ({ store }: Lab): Map<ClusterId, number> => {
  const known = lookedAtOf.get(store) ?? new Map<ClusterId, number>();
  lookedAtOf.set(store, known);
  return known;
};

export function noteLooks(lab: Lab, clusters: readonly ClusterId[]): void {
  for (const id of clusters) lookedAt(lab).set(id, lab.now());
}

/** The next round asks them, whenever they were asked before. */
export function lookSoon(lab: Lab, clusters: readonly ClusterId[]): void {
  for (const id of clusters) lookedAt(lab).delete(id);
}

/**
 * Whether to ask a cluster for its jobs again. Asking takes some machines seconds, at the expense of what runs there: so it is
 * done when a run should have ended, by what runs took so far; where nobody knows, ever more seldom the longer it runs.
 */
export function isLookDue(lab: Lab, { id, name }: FleetCluster, experiments: readonly Experiment[]): boolean {
  if (isUnderWay(lab, submissionTo(name))) return false;
  const last = lookedAt(lab).get(id);
  // What is being put into other queues goes first, for as long as a quiet cluster goes unasked anyway.
  const leastMs = isAnySubmissionUnderWay(lab) ? QUIET * lab.backend.capabilities.pollMs : 0;
  return last === undefined || lab.now() - last >= Math.max(leastMs, msBetweenLooks(lab, id, experiments));
}

function msBetweenLooks(lab: Lab, id: ClusterId, experiments: readonly Experiment[]): number {
  const { pollMs } = lab.backend.capabilities;
  const there = experiments.filter(({ cluster, state }) => cluster === id && !isSettled(state));
  // The cancellation on its way is news that something waits for.
  if (there.some(isBeingMoved)) return pollMs;
  const elapsedMs = (times: readonly number[]) => lab.now() - Math.min(lab.now(), ...times);
  const started = there.flatMap(({ startedAt }) => startedAt ?? []);
  const typical = typicalRunSeconds(experiments);
  if (typical === null || started.length === 0) {
    const since = started.length > 0 ? started : there.flatMap(({ queuedAt }) => queuedAt ?? []);
    return between(pollMs, elapsedMs(since) / 4, QUIET * pollMs);
  }
  const overdueMs = elapsedMs(started) - typical * 1000 - (there.length > 1 ? UNHURRIED * pollMs : 0);
  if (overdueMs >= 0) return between(pollMs, overdueMs / 4, QUIET * pollMs);
  // News are near: a look before them would only be in the way of what ends and begins there.
  return -overdueMs < QUIET * pollMs ? Number.POSITIVE_INFINITY : QUIET * pollMs;
}

const between = (least: number, value: number, most: number): number => Math.min(most, Math.max(least, value));
