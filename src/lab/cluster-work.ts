import PQueue from 'p-queue';
import type { Store } from '../store/store.js';
import type { Lab } from './lab.js';
import { PATIENCE_MS } from './patience.js';

/** Clusters that are worked on at the same time: the usual most that a campaign has. A backend bounds what it can bear. */
const CONCURRENCY = 16;

interface UnderWay {
  readonly queue: PQueue;
  readonly work: Map<string, Promise<void>>;
  failure: unknown;
}
const underWayOf = new WeakMap<Store, UnderWay>();

function underWay({ store }: Lab): UnderWay {
  const known = underWayOf.get(store) ?? {
    queue: new PQueue({ concurrency: CONCURRENCY }),
    work: new Map(),
    failure: null,
  };
  underWayOf.set(store, known);
  return known;
}

/**
 * Begins what may take some machines half a minute a cluster. A slow cluster holds up nobody: later rounds go on, and what is
 * under way for a key is not begun again.
 */
export function beginClusterWork(lab: Lab, key: string, work: () => Promise<void>): void {
  const state = underWay(lab);
  if (state.work.has(key)) return;
  const promise = state.queue
    .add(work)
    .catch((error: unknown) => {
      state.failure = error;
    })
    .finally(() => state.work.delete(key));
  state.work.set(key, promise);
}

/** The key of what is being put into a cluster's queue. */
export const submissionTo = (cluster: string): string => `submit to ${cluster}`;

export const isUnderWay = (lab: Lab, key: string): boolean => underWay(lab).work.has(key);

export const isAnySubmissionUnderWay = (lab: Lab): boolean =>
  [...underWay(lab).work.keys()].some((key) => key.startsWith(submissionTo('')));

/** Waits with some patience for all that is under way. @throws what one of them failed with, now or since the last time */
export async function settleClusterWork(lab: Lab): Promise<void> {
  const state = underWay(lab);
  await lab.within(
    PATIENCE_MS,
    Promise.all(state.work.values()).then(() => undefined),
  );
  const { failure } = state;
  state.failure = null;
  if (failure !== null) throw failure;
}
