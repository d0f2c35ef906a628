import type { FleetCluster } from '../domain/campaign.js';
import { type Experiment, isSettled, jobName } from '../domain/experiment.js';
import type { Job } from '../ports/cluster-backend.js';
import type { Lab } from './lab.js';
import { hasEnded } from './settle.js';

/**
 * When a cluster that is gone ended, so that hours in which nobody looked are not taken for paid ones: with nothing left to
 * run it did so `idle_minutes` after its last job at the latest. One that went with work on it was there until now, for all
 * that anybody knows.
 */
export function endOfLife(
  lab: Lab,
  { id, name, upAt }: FleetCluster,
  experiments: readonly Experiment[],
  jobs: readonly Job[],
): number {
  const there = experiments.filter(({ cluster, state }) => cluster === id && state !== 'planned');
  const ended = jobs.filter((job) => job.cluster === name && hasEnded(job));
  const wasBusy = there.some((run) => !isSettled(run.state) && ended.every((job) => job.name !== jobName(run)));
  if (upAt === null || wasBusy) return lab.now();
  const last = [...there, ...ended].reduce((latest, { endedAt }) => Math.max(latest, endedAt ?? 0), upAt);
  return Math.min(lab.now(), last + lab.project.settings.idle_minutes * 60_000);
}
