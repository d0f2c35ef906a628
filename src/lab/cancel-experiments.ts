import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, isSettled } from '../domain/experiment.js';
import type { ExperimentId } from '../domain/ids.js';
import { tryToAdvance } from './advance.js';
import { lookSoon } from './due-looks.js';
import { aliveClusters, type Lab, nameOf, readCampaign, readExperiments } from './lab.js';
import { markCancelled } from './patch-experiments.js';
import { ENDING_PATIENCE_MS } from './patience.js';

export interface Cancellation {
  readonly cancelled: readonly Experiment[];
  /** Had ended before. */
  readonly settled: readonly Experiment[];
  /** False: some of their jobs are still being ended; any server sees to it. */
  readonly haveJobsEnded: boolean;
}

/**
 * What has ended since the last look keeps its result. The rest is written down as cancelled first, so that no round submits or
 * settles it; then its jobs are ended.
 */
export async function cancelExperiments(lab: Lab, ids: readonly ExperimentId[]): Promise<Cancellation> {
  const running = pickExperiments(await readExperiments(lab), ids).filter(({ state }) => state === 'running');
  if (running.length > 0) {
    const there = running.flatMap(({ cluster }) => cluster ?? []);
    lookSoon(lab, there);
    await tryToAdvance(lab, ENDING_PATIENCE_MS / 4);
  }
  const chosen = pickExperiments(await readExperiments(lab), ids);
  const open = chosen.filter(({ state }) => !isSettled(state));
  await markCancelled(lab, open, 'Cancelled on request.');
  const clusters = aliveClusters(await readCampaign(lab));
  const refs = open.flatMap(({ cluster, jobId }) => {
    const record = clusters.find(({ id }) => id === cluster);
    return record && jobId !== null ? [{ cluster: nameOf(record), jobId }] : [];
  });
  let haveJobsEnded = false;
  const ending = lab.backend.cancel(refs).then(() => {
    haveJobsEnded = true;
  });
  await lab.within(ENDING_PATIENCE_MS, ending);
  return { cancelled: open, settled: chosen.filter(({ state }) => isSettled(state)), haveJobsEnded };
}

/** @throws not_found with the ids that do not exist */
export function pickExperiments(experiments: readonly Experiment[], ids: readonly ExperimentId[]): Experiment[] {
  const known = new Map(experiments.map((experiment) => [experiment.id, experiment]));
  const missing = ids.filter((id) => !known.has(id));
  if (missing.length > 0) {
    const last = experiments.at(-1)?.id;
    throw new AutoresearchError(
      'not_found',
      `This campaign has no ${missing.join(', ')}.`,
      last === undefined ? 'It has no experiments yet: call launch_wave.' : `Its last experiment is ${last}.`,
    );
  }
  return ids.flatMap((id) => known.get(id) ?? []);
}
