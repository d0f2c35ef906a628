import type { CampaignFile } from '../domain/campaign.js';
import type { Experiment } from '../domain/experiment.js';
import { budgetOf, type Estimate, estimatesOf, type Hopeless, hopelessBy } from '../domain/hopeless.js';
import type { ExperimentId } from '../domain/ids.js';
import { redacted } from '../domain/redact.js';
import type { Store } from '../store/store.js';
import { aliveClusters, type Lab, nameOf, readCampaign, readExperiments } from './lab.js';
import { markCancelled } from './patch-experiments.js';

/** Reading the logs of running jobs takes seconds on some machines. */
const EVERY_MS = 30_000;

/** What a finished run printed on its way, within which budget. */
interface Finished {
  readonly budget: string | null;
  readonly estimates: readonly Estimate[];
}

interface Memory {
  lookedAt: number;
  /** Their logs do not change any more. */
  readonly finished: Map<ExperimentId, Finished>;
}
const memoryOf = new WeakMap<Store, Memory>();

/**
 * Where `limits.end_hopeless` is set: ends runs whose printed estimates are clearly worse than those of finished runs on the same
 * accelerator were at the same fraction of an equal budget. A baseline or a replicate goes on whatever it prints: noise is measured by
 * runs that were not picked by their value.
 */
export async function endHopeless(lab: Lab): Promise<void> {
  if (!lab.project.settings.limits.end_hopeless) return;
  const memory = memoryOf.get(lab.store) ?? { lookedAt: Number.NEGATIVE_INFINITY, finished: new Map() };
  memoryOf.set(lab.store, memory);
  if (lab.now() - memory.lookedAt < EVERY_MS) return;
  memory.lookedAt = lab.now();

  const [campaign, experiments] = [await readCampaign(lab), await readExperiments(lab)];
  const running = runningOf(campaign, experiments);
  const finished = experiments.filter(({ state, imported }) => state === 'done' && !imported);
  if (running.length === 0 || finished.length === 0) return;
  const logs = await lab.backend.logs(running.map(({ job }) => job));
  for (const [index, { run, job }] of running.entries()) {
    const log = logs[index]?.text ?? null;
    if (log === null) continue;
    const peers = finished.filter(({ accelerators }) => accelerators === run.accelerators);
    const printed = await Promise.all(peers.map((peer) => printedBy(lab, memory, peer, campaign.metric.name)));
    const others = printed.flatMap(({ budget, estimates }) => (budget === budgetOf(log) ? [estimates] : []));
    const why = hopelessBy(estimatesOf(log, campaign.metric.name), others, campaign.metric);
    if (why === null) continue;
    await markCancelled(lab, [run], noteOf(why, campaign.metric.name));
    await lab.store.keepText(run.id, 'log.txt', redacted(log, lab.secrets));
    await lab.backend.cancel([job]);
  }
}

function runningOf(campaign: CampaignFile, experiments: readonly Experiment[]) {
  const clusters = aliveClusters(campaign);
  return experiments.flatMap((run) => {
    const record = clusters.find(({ id }) => id === run.cluster);
    const isCandidate = run.state === 'running' && !run.isBaseline && run.replicateOf === null;
    return isCandidate && record && run.jobId !== null
      ? [{ run, job: { cluster: nameOf(record), jobId: run.jobId } }]
      : [];
  });
}

async function printedBy(lab: Lab, { finished }: Memory, { id }: Experiment, metric: string): Promise<Finished> {
  const before = finished.get(id);
  if (before) return before;
  const log = (await lab.store.readText(id, 'log.txt')) ?? '';
  const found = { budget: budgetOf(log), estimates: estimatesOf(log, metric) };
  finished.set(id, found);
  return found;
}

const noteOf = ({ fraction, value, median, finished }: Hopeless, metric: string): string =>
  `Ended as hopeless at ${Math.round(fraction * 100)} % of its budget: ${metric} was estimated at ${value.toFixed(6)}, clearly worse than ${median.toFixed(6)}, the median of ${finished} finished runs there (limits.end_hopeless).`;
