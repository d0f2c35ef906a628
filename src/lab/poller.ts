import { isSettled } from '../domain/experiment.js';
import { advance } from './advance.js';
import { pollDelay } from './await-news.js';
import { type Lab, readExperiments } from './lab.js';

/** Machines that are slow to answer are given a pause, but not so long that nobody hears of what they did. */
const SLOW_MS = 15_000;
/** Looks seldom while nothing is open: only another server's plan could be news. */
const IDLE_MS = 2_000;

/**
 * Goes on with the campaign while no call does: results are written down, and what waits is submitted, with the agent silent.
 * @param openLab answers anew each round, for the project's settings may have changed; an error of it ends only that round
 * @param report is told of a round that failed, once for each message
 */
export async function poll(
  openLab: () => Promise<Lab>,
  signal: AbortSignal,
  report: (error: unknown) => void,
): Promise<void> {
  let quietSince: number | null = null;
  let before = '';
  let reported = '';
  let delay = IDLE_MS;
  while (!signal.aborted) {
    let lab: Lab | null = null;
    try {
      lab = await openLab();
      const beganAt = lab.now();
      await advance(lab);
      const tookMs = lab.now() - beganAt;
      const open = (await readExperiments(lab)).filter(({ state }) => !isSettled(state));
      const now = open.map(({ id, state }) => `${id} ${state}`).join();
      if (now !== before || quietSince === null) quietSince = lab.now();
      before = now;
      // What waits for a cluster to come up must not wait for the next look as well.
      const isPlanned = open.some(({ state }) => state === 'planned');
      const usual = open.length === 0 ? IDLE_MS : pollDelay(lab, isPlanned ? 0 : lab.now() - quietSince);
      // Machines that are slow to answer are asked less often.
      delay = Math.max(usual, Math.min(2 * tookMs, SLOW_MS));
    } catch (error) {
      const message = String(error);
      if (message !== reported) report(error);
      reported = message;
      delay = IDLE_MS;
    }
    await (lab?.sleep(delay, signal) ?? new Promise((resolve) => setTimeout(resolve, delay).unref()));
  }
}
