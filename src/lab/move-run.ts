import type { Experiment } from '../domain/experiment.js';
import type { Patch } from './patch-experiments.js';

type Moving = Experiment & { readonly move: NonNullable<Experiment['move']> };

/** Written down that it is to move, and still where it was: first its job is cancelled there, then it goes. */
export const isBeingMoved = (experiment: Experiment): experiment is Moving => experiment.move !== null;

/** Where it goes, under a name that no queue has seen: one that has would answer with the job that was cancelled there. */
export const movedPatch = ({ attempt }: Experiment, { from, to }: Moving['move']): Patch => ({
  state: 'planned',
  cluster: to,
  move: null,
  attempt: attempt + 1,
  jobId: null,
  queuedAt: null,
  startedAt: null,
  note: `Moved from ${from} to ${to}, which had nothing to do.`,
});
