import type { CampaignFile, FleetCluster } from '../domain/campaign.js';
import { type Experiment, isSettled, jobName } from '../domain/experiment.js';
import type { ClusterId } from '../domain/ids.js';
import { priceOf } from '../domain/price.js';
import { redacted } from '../domain/redact.js';
import type { Cluster, Job, JobRef } from '../ports/cluster-backend.js';
import { endOfLife } from './end-of-life.js';
import { giveBack } from './give-back.js';
import { aliveClusters, type Lab, nameOf } from './lab.js';
import type { Patch } from './patch-experiments.js';
import { followJob, hasEnded, settleJob } from './settle.js';

/** What one look at the machines showed, against what the store holds. Writing it down is another's business. */
export interface Observation {
  /** By cluster name: how its record changes. */
  readonly clusters: ReadonlyMap<string, Partial<FleetCluster>>;
  readonly experiments: ReadonlyMap<Experiment, Patch>;
  /** Logs of the experiments that have ended now, each read once. */
  readonly logs: ReadonlyMap<Experiment, string>;
  /** Jobs of experiments that were cancelled between their submission and its record: to be ended. */
  readonly strays: readonly JobRef[];
  /** Whose jobs were asked for. */
  readonly asked: readonly ClusterId[];
}

/**
 * Two calls whatever the fleet's size, and one for the logs of what has ended since. Changes nothing.
 * @param isDue whether a cluster on which something is open is to be asked for its jobs; one that is gone always is
 */
export async function observe(
  lab: Lab,
  campaign: CampaignFile,
  experiments: readonly Experiment[],
  isDue: (cluster: FleetCluster) => boolean,
): Promise<Observation> {
  const alive = aliveClusters(campaign).filter(({ state }) => state !== 'planned');
  const open = experiments.filter(({ state }) => !isSettled(state));
  if (alive.length === 0 && open.length === 0) {
    return { clusters: new Map(), experiments: new Map(), logs: new Map(), strays: [], asked: [] };
  }
  const machines = await lab.backend.clusters(alive.map(nameOf));
  const isThere = ({ name }: FleetCluster) => machines.some((machine) => machine.name === name);
  const asked = alive.filter(
    (cluster) => mayHaveNews(lab, cluster, experiments) && (isDue(cluster) || !isThere(cluster)),
  );
  const jobs = await lab.backend.jobs(asked.map(nameOf));
  const { prices } = lab.project.settings;
  const seen = machines.map((machine) => ({ ...machine, pricePerHourUsd: priceOf(machine, prices) }));

  const clusters = new Map<string, Partial<FleetCluster>>();
  for (const record of alive) {
    const cluster = seen.find(({ name }) => name === record.name);
    const change =
      cluster && cluster.status !== 'STOPPED'
        ? followCluster(record, cluster, lab.now())
        : endOf(record, endOfLife(lab, record, experiments, jobs), cluster);
    if (Object.keys(change).length > 0) clusters.set(record.name, change);
  }

  const pairs = open.flatMap((experiment) => {
    const record = alive.find(({ id }) => id === experiment.cluster);
    const job = jobs.find(({ cluster, name }) => cluster === record?.name && name === jobName(experiment));
    return record ? [{ experiment, record, job }] : [];
  });
  const ended = pairs.flatMap(({ experiment, job }) => (job && hasEnded(job) ? [{ experiment, job }] : []));
  const texts = await lab.backend.logs(ended.map(({ job }) => ({ cluster: job.cluster, jobId: job.jobId })));
  const logs = new Map<Experiment, string>();
  const patches = new Map<Experiment, Patch>();
  for (const [index, { experiment, job }] of ended.entries()) {
    const raw = texts[index]?.text ?? null;
    const text = raw && redacted(raw, lab.secrets);
    if (text !== null) logs.set(experiment, text);
    patches.set(experiment, { ...settleJob(experiment, job, text, campaign.metric), ...hardwareOf(job, seen, alive) });
  }
  for (const { experiment, record, job } of pairs) {
    if (job && hasEnded(job)) continue;
    const isGone = clusters.get(record.name)?.state === 'ended';
    const endsWithIt = record.state === 'ending' || experiment.state !== 'planned';
    if (isGone && endsWithIt) patches.set(experiment, goneWith(record, experiment));
    else if (job && !isGone) patches.set(experiment, { ...followJob(job), ...hardwareOf(job, seen, alive) });
  }
  const homes = new Set(aliveClusters(campaign).map(({ id }) => id));
  for (const experiment of open) {
    const isHomeless =
      experiment.state !== 'planned' && (experiment.cluster === null || !homes.has(experiment.cluster));
    if (isHomeless) patches.set(experiment, lostUnder(experiment, experiment.cluster));
  }
  const cancelled = new Set(experiments.filter(({ state }) => state === 'cancelled').map(jobName));
  const strays = jobs.filter((job) => !hasEnded(job) && cancelled.has(job.name));
  return { clusters, experiments: patches, logs, strays, asked: asked.map(({ id }) => id) };
}

/** A run that was cancelled while it was being submitted has no job yet that could have been ended. */
const STRAY_MS = 600_000;

/** Asking a cluster for its jobs takes seconds on some machines: only those are asked where something could have changed. */
const mayHaveNews = (lab: Lab, { id }: FleetCluster, experiments: readonly Experiment[]): boolean =>
  experiments.some(
    ({ cluster, state, jobId, settledAt }) =>
      cluster === id &&
      (state === 'queued' ||
        state === 'running' ||
        (state === 'cancelled' && jobId === null && lab.now() - (settledAt ?? lab.now()) < STRAY_MS)),
  );

function followCluster(record: FleetCluster, cluster: Cluster, now: number): Partial<FleetCluster> {
  const isUp = cluster.status === 'UP';
  const next = {
    state: isUp && record.state !== 'ending' ? ('up' as const) : record.state,
    accelerators: cluster.accelerators ?? record.accelerators,
    hardware: cluster.hardware ?? record.hardware,
    pricePerHourUsd: cluster.pricePerHourUsd ?? record.pricePerHourUsd,
    reason: record.state === 'ending' ? record.reason : cluster.statusReason,
    upAt: record.upAt ?? (isUp ? now : null),
  };
  const isSame = Object.entries(next).every(([key, value]) =>
    Object.entries(record).some(([k, v]) => k === key && v === value),
  );
  return isSame ? {} : next;
}

const endOf = (record: FleetCluster, endedAt: number, cluster: Cluster | undefined): Partial<FleetCluster> => ({
  state: 'ended',
  endedAt,
  gotNoMachine: record.upAt === null && record.state === 'launching',
  reason:
    (record.state === 'ending' ? record.reason : null) ??
    cluster?.statusReason ??
    (record.state === 'launching' ? 'It never came up.' : 'It ended by itself (idle) or was lost.'),
});

function hardwareOf(job: Job, seen: readonly Cluster[], alive: readonly FleetCluster[]): Patch {
  const source = seen.find(({ name }) => name === job.cluster) ?? alive.find(({ name }) => name === job.cluster);
  return {
    accelerators: source?.accelerators ?? null,
    hardware: source?.hardware ?? null,
    pricePerHourUsd: source?.pricePerHourUsd ?? null,
  };
}

const goneWith = (record: FleetCluster, experiment: Experiment): Patch =>
  record.state === 'ending'
    ? { state: 'cancelled', note: 'Its cluster was torn down.' }
    : lostUnder(experiment, record.id);

function lostUnder(experiment: Experiment, id: ClusterId | null): Patch {
  const cluster = id ?? 'Its cluster';
  return giveBack(experiment, {
    again: `${cluster} was lost under it: it runs once more elsewhere.`,
    lost: `${cluster} was lost under it too: look at the machines before launching it again.`,
  });
}
