import type { CampaignFile, FleetCluster } from '../domain/campaign.js';
import { type Experiment, isSettled } from '../domain/experiment.js';
import { type ClusterId, clusterId, ordinal } from '../domain/ids.js';
import { type Bound, type Held, type Kind, newClusters } from '../domain/new-clusters.js';
import { placeRuns, type Queue } from '../domain/placement.js';
import { priceOf } from '../domain/price.js';
import type { Offer } from '../ports/cluster-backend.js';
import { aliveClusters, clusterName, type Lab, servingClusters } from './lab.js';
import { noCluster } from './no-cluster.js';

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

/** For each cluster: seconds until it would start one more, if each run took `runSeconds`. */
export function queuesOf(
  clusters: readonly FleetCluster[],
  experiments: readonly Experiment[],
  now: number,
  runSeconds = typicalRunSeconds(experiments) ?? UNKNOWN_RUN_SECONDS,
): Queue<ClusterId>[] {
  const open = experiments.filter(({ state }) => !isSettled(state));
  return clusters.map(({ id }) => ({
    cluster: id,
    busySeconds: secondsFor(
      open.filter(({ cluster }) => cluster === id),
      now,
      runSeconds,
    ),
  }));
}

const secondsFor = (runs: readonly Experiment[], now: number, runSeconds: number): number =>
  runs.reduce(
    (sum, { startedAt }) => sum + Math.max(1, runSeconds - (startedAt === null ? 0 : (now - startedAt) / 1000)),
    0,
  );

/** Seconds until a cluster has run what stands before `run` in its queue; null: all that it has. */
export function startsInSeconds(
  id: ClusterId,
  experiments: readonly Experiment[],
  now: number,
  run: Experiment | null,
): number {
  const open = experiments
    .filter(({ cluster, state }) => cluster === id && !isSettled(state))
    .toSorted((a, b) => (a.queuedAt ?? now) - (b.queuedAt ?? now));
  const before = run === null ? open : open.slice(0, open.indexOf(run));
  return secondsFor(before, now, typicalRunSeconds(experiments) ?? UNKNOWN_RUN_SECONDS);
}

export function matchesAccelerators(lab: Lab, cluster: FleetCluster, wanted: readonly string[]): boolean {
  if (!lab.backend.capabilities.choosesAccelerators || wanted.length === 0) return true;
  return cluster.accelerators === null
    ? cluster.requested.some((name) => wanted.includes(name))
    : wanted.includes(cluster.accelerators);
}

/** How long a kind of which none could be had is left alone. */
const CAPACITY_RETRY_MS = 300_000;

export interface Placement {
  /** One for each run, in order. */
  readonly placed: readonly ClusterId[];
  /** Clusters that must be launched for it. */
  readonly launched: readonly FleetCluster[];
  /** The limit that kept it from launching one more that it would have used; null: none did. */
  readonly bound: Bound | null;
}

/**
 * Where `count` runs would end first: on the clusters that are there and on as many new ones as the limits and the machines
 * allow. A new cluster is taken only when no idle one would do.
 * @throws no_capacity when there is no cluster and none can be launched; over_budget when a limit on cost or kinds is why
 */
export async function placeOnFleet(
  lab: Lab,
  wanted: readonly string[],
  campaign: CampaignFile,
  experiments: readonly Experiment[],
  count: number,
): Promise<Placement> {
  const { limits, prices } = lab.project.settings;
  const alive = aliveClusters(campaign);
  const usable = servingClusters(campaign).filter((cluster) => matchesAccelerators(lab, cluster, wanted));
  const offers = await lab.backend.offers();
  const kinds = kindsToLaunch(lab, wanted, offers, campaign);
  const held = alive.map((cluster) => ({
    kinds: kindsOf(lab, cluster, kinds),
    pricePerHourUsd: priceOf(cluster, prices),
  }));
  const { clusters, bound } = newClusters(count, kinds, held, {
    clusters: limits.max_clusters,
    accelerators: limits.accelerators,
    usdPerHour: limits.max_cost_per_hour_usd,
  });
  const ids = newIds(new Set(alive.map(({ id }) => id)), clusters.length);
  const fresh = ids.map((id, index) => planned(lab, id, campaign.mark, wanted, clusters[index]));
  if (usable.length + fresh.length === 0) throw noCluster(limits, bound, kinds, held, offers, campaign.fleet);
  const runSeconds = typicalRunSeconds(experiments) ?? UNKNOWN_RUN_SECONDS;
  const placed = placeRuns(count, runSeconds, queuesOf([...usable, ...fresh], experiments, lab.now()));
  const launched = fresh.filter(({ id }) => placed.includes(id));
  return { placed, launched, bound: launched.length < fresh.length ? null : bound };
}

/** Of what was asked for, or of whatever there is where the machines do not choose; one unnamed kind where nobody knows. */
function kindsToLaunch(lab: Lab, wanted: readonly string[], offers: readonly Offer[], { fleet }: CampaignFile): Kind[] {
  const { prices } = lab.project.settings;
  const isChosen = lab.backend.capabilities.choosesAccelerators;
  const names = isChosen ? wanted : [...new Set(offers.map(({ accelerators }) => accelerators))];
  const planned = fleet.filter(({ state }) => state === 'planned');
  const freeOf = (some: readonly Offer[], taken: number) =>
    Math.max(0, some.reduce((sum, { free }) => sum + (free ?? Number.POSITIVE_INFINITY), 0) - taken);
  if (names.length === 0) {
    return [{ accelerators: 'any kind', free: freeOf(offers, planned.length), pricePerHourUsd: null }];
  }
  return names.map((accelerators) => {
    const fitting = offers.filter((offer) => offer.accelerators === accelerators);
    // The best offer stands first: what would be launched.
    const [best] = fitting;
    return {
      accelerators,
      free: hadNone(lab, accelerators, fleet)
        ? 0
        : freeOf(fitting, planned.filter(({ requested: [first] }) => !isChosen || first === accelerators).length),
      pricePerHourUsd: priceOf({ accelerators, pricePerHourUsd: best?.pricePerHourUsd ?? null }, prices),
    };
  });
}

/** Offers may not count, or count what others will get: a kind of which none could be had is not asked for again at once. */
const hadNone = (lab: Lab, accelerators: string, fleet: readonly FleetCluster[]): boolean =>
  lab.backend.capabilities.choosesAccelerators &&
  fleet.some(
    ({ gotNoMachine, requested, endedAt }) =>
      gotNoMachine && requested.includes(accelerators) && lab.now() - (endedAt ?? lab.now()) < CAPACITY_RETRY_MS,
  );

function kindsOf(lab: Lab, { accelerators, requested }: FleetCluster, offered: readonly Kind[]): readonly string[] {
  if (accelerators !== null) return [accelerators];
  return lab.backend.capabilities.choosesAccelerators ? requested : offered.map((kind) => kind.accelerators);
}

const planned = (
  lab: Lab,
  id: ClusterId,
  mark: string,
  wanted: readonly string[],
  cluster: Held | undefined,
): FleetCluster => ({
  id,
  name: clusterName(id, mark),
  state: 'planned',
  requested: lab.backend.capabilities.choosesAccelerators
    ? (cluster?.kinds ?? wanted).filter((name) => wanted.includes(name))
    : [...wanted],
  infra: lab.project.settings.infra,
  environments: {},
  accelerators: null,
  hardware: null,
  pricePerHourUsd: cluster?.pricePerHourUsd ?? null,
  reason: null,
  gotNoMachine: false,
  launchedAt: lab.now(),
  upAt: null,
  endedAt: null,
});

function newIds(taken: ReadonlySet<ClusterId>, count: number): ClusterId[] {
  const ids: ClusterId[] = [];
  for (let n = 1; ids.length < count; n++) {
    if (!taken.has(clusterId(n))) ids.push(clusterId(n));
  }
  return ids.sort((a, b) => ordinal(a) - ordinal(b));
}
