import { type Experiment, isSettled } from '../domain/experiment.js';
import { tryToAdvance } from './advance.js';
import { type Lab, readExperiments } from './lab.js';
import { PATIENCE_MS } from './patience.js';

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called after each look in which the number of settled ones had changed. */
  readonly onProgress: (settled: number, total: number) => void;
}

export interface News {
  readonly picked: readonly Experiment[];
  /** Why they may stand otherwise by now; null: they do not. */
  readonly unseen: string | null;
}

/** Waits until all that `pick` chooses have settled, the time is over or the caller gave up; the jobs go on either way. */
export async function awaitNews(
  lab: Lab,
  pick: (experiments: readonly Experiment[]) => Experiment[],
  { timeoutMs, signal, onProgress }: WaitOptions,
): Promise<News> {
  const startedAt = lab.now();
  let settledBefore = -1;
  for (;;) {
    const beforeMs = timeoutMs - (lab.now() - startedAt);
    const unseen = await tryToAdvance(lab, Math.max(PATIENCE_MS, beforeMs));
    const picked = pick(await readExperiments(lab));
    const settled = picked.filter(({ state }) => isSettled(state)).length;
    if (settled !== settledBefore) onProgress(settled, picked.length);
    settledBefore = settled;
    const leftMs = timeoutMs - (lab.now() - startedAt);
    if (settled === picked.length || leftMs <= 0 || signal.aborted) return { picked, unseen };
    await lab.sleep(Math.min(leftMs, pollDelay(lab, lab.now() - startedAt)), signal);
  }
}

/** Often at first, then a quarter of the time waited so far, at most 15 s: quick waves feel quick, long ones stay cheap. */
export const pollDelay = (lab: Lab, waitedMs: number): number =>
  Math.min(15_000, Math.max(lab.backend.capabilities.pollMs, waitedMs / 4));
