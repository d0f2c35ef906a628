import type { FleetCluster } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, isSettled } from '../domain/experiment.js';
import type { ClusterId } from '../domain/ids.js';
import { advance } from './advance.js';
import { markCancelled } from './cancel-experiments.js';
import { aliveClusters, findCluster, type Lab, nameOf, readCampaign, readExperiments, updateCampaign } from './lab.js';

export interface TeardownRequest {
  readonly clusters: readonly ClusterId[];
  readonly idleOnly: boolean;
  readonly all: boolean;
  /** Says what would end, and ends nothing. */
  readonly dryRun: boolean;
}

export interface Teardown {
  readonly clusters: readonly FleetCluster[];
  /** What ran or waited there, now cancelled (or, in a dry run, what would be). */
  readonly experiments: readonly Experiment[];
}

/**
 * Ends clusters of this campaign and of nobody else. What has ended there is collected first.
 * @throws not_ours, not_found for a cluster that is not the campaign's; invalid_input when nothing says which
 */
export async function tearDown(lab: Lab, { clusters, idleOnly, all, dryRun }: TeardownRequest): Promise<Teardown> {
  if (clusters.length === 0 && !idleOnly && !all) {
    throw new AutoresearchError('invalid_input', 'Nothing says which clusters.', 'Give clusters, idle_only or all.');
  }
  await advance(lab);
  const campaign = await readCampaign(lab);
  const open = (await readExperiments(lab)).filter(({ state }) => !isSettled(state));
  const isIdle = ({ id }: FleetCluster) => open.every(({ cluster }) => cluster !== id);
  const named = clusters.length > 0 ? clusters.map((id) => findCluster(campaign, id)) : aliveClusters(campaign);
  const chosen = named.filter((cluster) => !idleOnly || isIdle(cluster));
  const there = open.filter(({ cluster }) => chosen.some(({ id }) => id === cluster));
  if (dryRun) return { clusters: chosen, experiments: there };

  await markCancelled(lab, there, 'Its cluster was torn down.');
  await lab.backend.down(chosen.map(nameOf));
  await updateCampaign(lab, ({ fleet }) => {
    for (const cluster of fleet.filter(({ state }) => state !== 'ended')) {
      if (!chosen.some(({ name }) => name === cluster.name)) continue;
      Object.assign(cluster, { state: 'ended', endedAt: lab.now(), reason: 'Torn down on request.' });
    }
  });
  return { clusters: chosen, experiments: there };
}
