import type { FleetCluster } from '../domain/campaign.js';
import { isSettled } from '../domain/experiment.js';
import { priceOf } from '../domain/price.js';
import type { Offer } from '../ports/cluster-backend.js';
import { advanceBriefly } from './advance.js';
import { matchesAccelerators, queuesOf } from './fleet.js';
import { aliveClusters, type Lab, readCampaign, readExperiments } from './lab.js';

export interface ClusterView {
  readonly cluster: FleetCluster;
  readonly running: number;
  /** Planned and queued. */
  readonly waiting: number;
  /** Estimated from the runs so far; 0 when idle. */
  readonly idleInSeconds: number;
}

export interface FleetView {
  readonly clusters: readonly ClusterView[];
  readonly offers: readonly Offer[];
  /** How many more limits.max_clusters allows. */
  readonly room: number;
}

export async function listClusters(lab: Lab, accelerators: readonly string[], withOffers: boolean): Promise<FleetView> {
  await advanceBriefly(lab);
  const clusters = (await viewFleet(lab)).filter(({ cluster }) => matchesAccelerators(lab, cluster, accelerators));
  const { prices } = lab.project.settings;
  const offers = (withOffers ? await lab.backend.offers() : []).map((offer) => ({
    ...offer,
    pricePerHourUsd: priceOf(offer, prices),
  }));
  return { clusters, offers, room: Math.max(0, lab.project.settings.limits.max_clusters - clusters.length) };
}

/** The fleet as the store has it. */
export async function viewFleet(lab: Lab): Promise<ClusterView[]> {
  const experiments = await readExperiments(lab);
  const open = experiments.filter(({ state }) => !isSettled(state));
  const alive = aliveClusters(await readCampaign(lab));
  const queues = queuesOf(alive, experiments, lab.now());
  return alive.map((cluster) => {
    const there = open.filter((experiment) => experiment.cluster === cluster.id);
    const running = there.filter(({ state }) => state === 'running').length;
    const idleInSeconds = queues.find((queue) => queue.cluster === cluster.id)?.busySeconds ?? 0;
    return { cluster, running, waiting: there.length - running, idleInSeconds };
  });
}
