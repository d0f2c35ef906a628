import type { FleetCluster } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, isSettled } from '../domain/experiment.js';
import type { ClusterId } from '../domain/ids.js';
import { advance } from './advance.js';
import { aliveClusters, findCluster, type Lab, readCampaign, readExperiments, updateCampaign } from './lab.js';
import { ENDING_PATIENCE_MS } from './patience.js';

export interface TeardownRequest {
  readonly clusters: readonly ClusterId[];
  readonly idleOnly: boolean;
  readonly all: boolean;
  /** Says what would end, and ends nothing. */
  readonly dryRun: boolean;
}

export interface Teardown {
  readonly clusters: readonly FleetCluster[];
  /** Of these, those that are still going down; any server sees to it. */
  readonly ending: readonly FleetCluster[];
  /** What ran or waited there, now cancelled (or, in a dry run, what would be). */
  readonly experiments: readonly Experiment[];
}

const LOOK_AGAIN_MS = 500;

/**
 * Ends clusters of this campaign and of nobody else. It is written down first, so that a server that dies leaves it to the
 * next, and what has ended there is collected before they go.
 * @throws not_ours, not_found for a cluster that is not the campaign's; invalid_input when nothing says which
 */
export async function tearDown(lab: Lab, { clusters, idleOnly, all, dryRun }: TeardownRequest): Promise<Teardown> {
  if (clusters.length === 0 && !idleOnly && !all) {
    throw new AutoresearchError('invalid_input', 'Nothing says which clusters.', 'Give clusters, idle_only or all.');
  }
  await lab.within(ENDING_PATIENCE_MS / 4, advance(lab));
  const campaign = await readCampaign(lab);
  const open = (await readExperiments(lab)).filter(({ state }) => !isSettled(state));
  const isIdle = ({ id }: FleetCluster) => open.every(({ cluster }) => cluster !== id);
  const named = clusters.length > 0 ? clusters.map((id) => findCluster(campaign, id)) : aliveClusters(campaign);
  const chosen = named.filter((cluster) => !idleOnly || isIdle(cluster));
  const there = open.filter(({ cluster }) => chosen.some(({ id }) => id === cluster));
  if (dryRun) return { clusters: chosen, ending: [], experiments: there };

  const names = new Set(chosen.map(({ name }) => name));
  // Nothing may be placed there meanwhile.
  await lab.store.whilePlanning(() =>
    updateCampaign(lab, ({ fleet }) => {
      for (const cluster of fleet.filter(({ name, state }) => names.has(name) && state !== 'ended')) {
        Object.assign(cluster, { state: 'ending', reason: 'Torn down on request.' });
      }
    }),
  );
  const isEnding = ({ name, state }: FleetCluster) => names.has(name) && state === 'ending';
  const startedAt = lab.now();
  for (;;) {
    const leftMs = ENDING_PATIENCE_MS - (lab.now() - startedAt);
    await lab.within(Math.max(0, leftMs), advance(lab));
    const ending = (await readCampaign(lab)).fleet.filter(isEnding);
    if (ending.length === 0 || leftMs <= 0) {
      const ids = new Set(there.map(({ id }) => id));
      const left = (await readExperiments(lab)).filter(
        ({ id, state }) => ids.has(id) && (state === 'cancelled' || !isSettled(state)),
      );
      return { clusters: chosen, ending, experiments: left };
    }
    await lab.sleep(LOOK_AGAIN_MS);
  }
}
