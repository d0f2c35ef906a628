import type { Metric } from '../domain/campaign.js';
import type { Experiment } from '../domain/experiment.js';
import { crashOf, parseTrainingLog, reportedSnapshot } from '../domain/training-log.js';
import { isFinalJobStatus, type Job } from '../ports/cluster-backend.js';
import { giveBack } from './give-back.js';
import { isBeingMoved, movedPatch } from './move-run.js';
import type { Patch } from './patch-experiments.js';

/** What a job that has not ended says of its experiment. */
export function followJob(job: Job): Patch {
  return {
    state: job.status === 'RUNNING' ? 'running' : 'queued',
    jobId: job.jobId,
    queuedAt: job.submittedAt,
    startedAt: job.startedAt,
  };
}

export const hasEnded = (job: Job): boolean => isFinalJobStatus(job.status);

/**
 * What a job that has ended gave its experiment, from its log. A result counts only under the hash that our wrapper
 * printed with the job's nonce; the job's own words cannot claim it.
 */
export function settleJob(experiment: Experiment, job: Job, log: string | null, metric: Metric): Patch {
  const ended: Patch = {
    jobId: job.jobId,
    queuedAt: job.submittedAt,
    startedAt: job.startedAt,
    endedAt: job.endedAt,
    exitCode: job.exitCode,
  };
  if (job.status === 'CANCELLED') {
    return isBeingMoved(experiment) ? movedPatch(experiment, experiment.move) : { ...ended, state: 'cancelled' };
  }
  if (log === null) {
    const where = experiment.cluster ?? 'Its cluster';
    return giveBack(experiment, {
      again: `${where} has no log of it: it runs once more.`,
      lost: `${where} has no log of it either: look at the machines before launching it again.`,
    });
  }
  const { metrics, facts, modelConfig, saysTimeout, saysSetupFailed } = parseTrainingLog(log);
  // Only of a job that failed: the code itself could print that line to get round the hash.
  const setupFailed = job.status === 'FAILED_SETUP' || (job.status === 'FAILED' && saysSetupFailed);
  if (!setupFailed) {
    const hash = reportedSnapshot(log, experiment.nonce);
    if (hash !== experiment.snapshot && !(hash === null && job.status === 'FAILED')) {
      const found = hash === null ? 'did not say which code it ran' : `ran code ${hash.slice(0, 12)}`;
      return {
        ...ended,
        state: 'refused',
        note: `Its job ${found}, not ${experiment.snapshot.slice(0, 12)}: the result is refused. Launch it again.`,
      };
    }
  }
  const crash = crashOf(log, metric.name, {
    exitCode: job.exitCode,
    timedOut: job.timedOut || saysTimeout,
    setupFailed,
  });
  return {
    ...ended,
    state: crash === null ? 'done' : crash.cause === 'timeout' ? 'timed_out' : 'crashed',
    metrics: crash === null ? { ...metrics } : null,
    facts: { ...facts },
    modelConfig,
    crash,
  };
}
