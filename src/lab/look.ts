import type { CampaignFile } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, isSettled } from '../domain/experiment.js';
import type { ExperimentId } from '../domain/ids.js';
import { experimentsOf, type WaveFile } from '../domain/wave.js';
import type { Store } from '../store/store.js';
import { firstIncumbent } from './advance.js';
import { aliveClusters, type Lab, nameOf, newCampaign } from './lab.js';
import { type Observation, observe } from './observe.js';

export interface Look {
  /** The same lab over a store that shows what the machines say now, and that nobody can write to. */
  readonly lab: Lab;
  /** Why the machines could not be asked; null: they were, or there was nothing to ask. */
  readonly unseen: string | null;
  /** As far as it has got while the job runs; null when none was ever printed. */
  log(id: ExperimentId): Promise<string | null>;
}

/**
 * What the store holds, with what one look at the machines adds, in memory only: jobs that ended after the last server was
 * killed show as ended. Writes nothing and takes no lease, so it is safe beside a server.
 */
export async function look(lab: Lab): Promise<Look> {
  const campaign = structuredClone((await lab.store.campaign(lab.project.campaign)) ?? newCampaign(lab));
  const waves = structuredClone(await lab.store.waves());
  const mine = waves.filter(({ wave }) => wave.campaign === campaign.name).flatMap(experimentsOf);
  let unseen: string | null = null;
  const seen = await observe(lab, campaign, mine, () => true).catch((error: unknown): Observation | null => {
    unseen = error instanceof Error ? error.message : String(error);
    return null;
  });
  if (seen) overlay(seen, campaign, mine, lab.now());
  const store = readOnly(lab.store, campaign, waves);
  return {
    lab: { ...lab, store },
    unseen,
    log: async (id) =>
      [...(seen?.logs ?? [])].find(([run]) => run.id === id)?.[1] ??
      (await lab.store.readText(id, 'log.txt')) ??
      (await logOfRunning(lab, campaign, mine, id)),
  };
}

function overlay(
  { clusters, experiments }: Observation,
  campaign: CampaignFile,
  mine: Experiment[],
  now: number,
): void {
  for (const cluster of aliveClusters(campaign)) Object.assign(cluster, clusters.get(cluster.name));
  for (const [experiment, patch] of experiments) {
    Object.assign(experiment, patch);
    if (isSettled(experiment.state)) experiment.settledAt = now;
  }
  campaign.incumbent ??= firstIncumbent(mine, campaign.metric);
}

async function logOfRunning(
  lab: Lab,
  campaign: CampaignFile,
  mine: readonly Experiment[],
  id: ExperimentId,
): Promise<string | null> {
  const run = mine.find((experiment) => experiment.id === id && experiment.state === 'running');
  const cluster = aliveClusters(campaign).find((candidate) => candidate.id === run?.cluster);
  if (!run || run.jobId === null || !cluster) return null;
  const [log] = await lab.backend.logs([{ cluster: nameOf(cluster), jobId: run.jobId }]);
  return log?.text ?? null;
}

function readOnly(store: Store, campaign: CampaignFile, waves: WaveFile[]): Store {
  const refuse = async () => {
    throw new AutoresearchError('state_locked', 'This view is read-only.', 'Write through a lab of its own.');
  };
  return {
    ...store,
    campaign: async (name) => (name === campaign.name ? campaign : store.campaign(name)),
    waves: async () => waves,
    updateCampaign: refuse,
    createWave: refuse,
    updateWave: refuse,
    keepText: refuse,
    updateFindings: refuse,
    lease: { hold: async () => false, release: async () => undefined },
  };
}
