import type { FleetCluster } from '../domain/campaign.js';
import { isSettled } from '../domain/experiment.js';
import { priceOf } from '../domain/price.js';
import type { Offer } from '../ports/cluster-backend.js';
import { lookBriefly } from './advance.js';
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
  /** Why this may be old; null: it is not. */
  readonly unseen: string | null;
  /** How many more limits.max_clusters allows. */
  readonly room: number;
}

export async function listClusters(lab: Lab, accelerators: readonly string[], withOffers: boolean): Promise<FleetView> {
  const asked = withOffers ? lab.backend.offers() : Promise.resolve([]);
  const [unseen, seen] = await Promise.all([lookBriefly(lab), asked]);
  const fleet = await viewFleet(lab);
  const clusters = fleet.filter(({ cluster }) => matchesAccelerators(lab, cluster, accelerators));
  const { prices } = lab.project.settings;
  const offers = seen.map((offer) => ({
    ...offer,
    pricePerHourUsd: priceOf(offer, prices),
  }));
  return { clusters, offers, unseen, room: Math.max(0, lab.project.settings.limits.max_clusters - fleet.length) };
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
