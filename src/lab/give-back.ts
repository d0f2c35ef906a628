import type { Experiment } from '../domain/experiment.js';
import type { Patch } from './patch-experiments.js';

/** A run that a cluster lost or refused is given to another cluster once. */
const MOST_LOSSES = 1;

/** @param notes what the agent reads when it runs once more, and when it does not */
export const giveBack = ({ attempt, losses }: Experiment, notes: { again: string; lost: string }): Patch =>
  losses < MOST_LOSSES
    ? {
        state: 'planned',
        attempt: attempt + 1,
        losses: losses + 1,
        move: null,
        cluster: null,
        jobId: null,
        queuedAt: null,
        startedAt: null,
        note: notes.again,
      }
    : { state: 'lost', note: notes.lost };
