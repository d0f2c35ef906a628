import type { Experiment } from '../domain/experiment.js';
import type { Patch } from './patch-experiments.js';

/** A run that a cluster lost or refused is given to another cluster once. */
const MOST_ATTEMPTS = 2;

/** @param notes what the agent reads when it runs once more, and when it does not */
export const giveBack = ({ attempt }: Experiment, notes: { again: string; lost: string }): Patch =>
  attempt < MOST_ATTEMPTS
    ? {
        state: 'planned',
        attempt: attempt + 1,
        cluster: null,
        jobId: null,
        queuedAt: null,
        startedAt: null,
        note: notes.again,
      }
    : { state: 'lost', note: notes.lost };
