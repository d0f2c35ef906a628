import type { CampaignFile, FleetCluster } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, isSettled } from '../domain/experiment.js';
import { type ClusterId, clusterId, ordinal } from '../domain/ids.js';
import { placeRuns, type Queue } from '../domain/placement.js';
import { aliveClusters, clusterName, type Lab } from './lab.js';

/** Until a run has ended nobody knows how long one takes: the published budget. */
const UNKNOWN_RUN_SECONDS = 300;

/** Median of the runs that ended well, seconds. */
export function typicalRunSeconds(experiments: readonly Experiment[]): number | null {
  const lengths = experiments
    .flatMap(({ state, startedAt, endedAt }) =>
      state === 'done' && startedAt !== null && endedAt !== null ? [(endedAt - startedAt) / 1000] : [],
    )
    .sort((a, b) => a - b);
  return lengths[Math.floor(lengths.length / 2)] ?? null;
}

/** For each cluster: seconds until it would start one more. */
export function queuesOf(
  clusters: readonly FleetCluster[],
  experiments: readonly Experiment[],
  now: number,
): Queue<ClusterId>[] {
  const runSeconds = typicalRunSeconds(experiments) ?? UNKNOWN_RUN_SECONDS;
  const open = experiments.filter(({ state }) => !isSettled(state));
  return clusters.map(({ id }) => ({
    cluster: id,
    busySeconds: open
      .filter(({ cluster }) => cluster === id)
      .reduce(
        (sum, { startedAt }) => sum + Math.max(1, runSeconds - (startedAt === null ? 0 : (now - startedAt) / 1000)),
        0,
      ),
  }));
}

export function matchesAccelerators(lab: Lab, cluster: FleetCluster, wanted: readonly string[]): boolean {
  if (!lab.backend.capabilities.choosesAccelerators || wanted.length === 0) return true;
  return cluster.accelerators === null
    ? cluster.requested.some((name) => wanted.includes(name))
    : wanted.includes(cluster.accelerators);
}

export interface Placement {
  /** One for each run, in order. */
  readonly placed: readonly ClusterId[];
  /** Clusters that must be launched for it. */
  readonly launched: readonly FleetCluster[];
}

/**
 * Where `count` runs would end first: on the clusters that are there and on as many new ones as the limits and the machines
 * allow. A new cluster is taken only when no idle one would do.
 * @throws no_capacity when there is no cluster and none can be launched
 */
export async function placeOnFleet(
  lab: Lab,
  wanted: readonly string[],
  campaign: CampaignFile,
  experiments: readonly Experiment[],
  count: number,
): Promise<Placement> {
  const { limits, infra } = lab.project.settings;
  const alive = aliveClusters(campaign);
  const usable = alive.filter((cluster) => matchesAccelerators(lab, cluster, wanted));
  const offers = await lab.backend.offers();
  const fitting =
    lab.backend.capabilities.choosesAccelerators && wanted.length > 0
      ? offers.filter(({ accelerators }) => wanted.includes(accelerators))
      : offers;
  const free = fitting.reduce((sum, offer) => sum + (offer.free ?? Number.POSITIVE_INFINITY), 0);
  const room = Math.max(0, Math.min(limits.max_clusters - alive.length, free, count));
  const taken = new Set(alive.map(({ id }) => id));
  const fresh = newIds(taken, room).map(
    (id): FleetCluster => ({
      id,
      name: clusterName(id, campaign.mark),
      state: 'planned',
      requested: [...wanted],
      infra,
      environments: {},
      accelerators: null,
      hardware: null,
      pricePerHourUsd: null,
      reason: null,
      launchedAt: lab.now(),
      upAt: null,
      endedAt: null,
    }),
  );
  if (usable.length + fresh.length === 0) throw noCapacity(lab, alive.length, free, wanted);
  const runSeconds = typicalRunSeconds(experiments) ?? UNKNOWN_RUN_SECONDS;
  const placed = placeRuns(count, runSeconds, queuesOf([...usable, ...fresh], experiments, lab.now()));
  return { placed, launched: fresh.filter(({ id }) => placed.includes(id)) };
}

function newIds(taken: ReadonlySet<ClusterId>, count: number): ClusterId[] {
  const ids: ClusterId[] = [];
  for (let n = 1; ids.length < count; n++) {
    if (!taken.has(clusterId(n))) ids.push(clusterId(n));
  }
  return ids.sort((a, b) => ordinal(a) - ordinal(b));
}

function noCapacity(lab: Lab, alive: number, free: number, wanted: readonly string[]): AutoresearchError {
  const { max_clusters } = lab.project.settings.limits;
  const what = wanted.length > 0 ? wanted.join(' or ') : 'any kind';
  return alive >= max_clusters
    ? new AutoresearchError(
        'no_capacity',
        `All ${max_clusters} clusters that limits.max_clusters allows are up, and none is of ${what}.`,
        'Call teardown with idle_only, or raise the limit.',
      )
    : new AutoresearchError(
        'no_capacity',
        `No cluster is up, and ${free} of ${what} could be launched.`,
        'Call list_clusters_by_gpu with include_offers to see who holds what there is.',
      );
}
