import PQueue from 'p-queue';
import type { CampaignFile, FleetCluster } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, jobName } from '../domain/experiment.js';
import type { SnapshotHash } from '../domain/ids.js';
import { experimentsOf } from '../domain/wave.js';
import type { Store } from '../store/store.js';
import { taskOf } from './environment.js';
import { placeOnFleet } from './fleet.js';
import { giveBack } from './give-back.js';
import { aliveClusters, type Lab, nameOf, readCampaign, readExperiments, readWaves, updateCampaign } from './lab.js';
import { launchRequest } from './launch-planned.js';
import { type Patch, patchExperiments } from './patch-experiments.js';
import { PATIENCE_MS } from './patience.js';

/** Clusters that are asked at the same time. */
const CONCURRENCY = 4;

const planned = (experiments: readonly Experiment[]) => experiments.filter(({ state }) => state === 'planned');

/** Runs whose cluster ended before it took them, or was lost under them, get another of the kind their wave asked for. */
export async function placeHomeless(lab: Lab): Promise<void> {
  if ((await homelessWaves(lab)).length === 0) return;
  await lab.store.whilePlanning(async () => {
    for (const { accelerators, runs } of await homelessWaves(lab)) await placeRunsAnew(lab, accelerators, runs);
  });
}

async function homelessWaves(lab: Lab) {
  const homes = new Set(aliveClusters(await readCampaign(lab)).map(({ id }) => id));
  return (await readWaves(lab)).flatMap((file) => {
    const runs = planned(experimentsOf(file)).filter(({ cluster }) => cluster === null || !homes.has(cluster));
    return runs.length > 0 ? [{ accelerators: file.wave.accelerators, runs }] : [];
  });
}

async function placeRunsAnew(lab: Lab, accelerators: readonly string[], runs: readonly Experiment[]): Promise<void> {
  const campaign = await readCampaign(lab);
  const placement = await placeOnFleet(lab, accelerators, campaign, await readExperiments(lab), runs.length).catch(
    (error: unknown) => {
      // Without any cluster they stay planned; the next round asks again.
      if (error instanceof AutoresearchError && ['no_capacity', 'over_budget'].includes(error.code)) return null;
      throw error;
    },
  );
  if (!placement) return;
  await updateCampaign(lab, ({ fleet }) => void fleet.push(...placement.launched));
  await patchExperiments(lab, new Map(runs.map((run, index) => [run, { cluster: placement.placed[index] ?? null }])));
}

/** By cluster what is on its way into a queue; on some machines that takes half a minute a run. */
interface Submissions {
  readonly queue: PQueue;
  readonly underWay: Map<string, Promise<void>>;
  failure: unknown;
}
const submissionsOf = new WeakMap<Store, Submissions>();

/**
 * Everything that waits for a cluster that is up goes into that cluster's own queue, and runs on with no server alive. A slow
 * cluster holds up nobody: after some patience the round goes on, and later rounds leave that cluster alone until it is done.
 * @throws what a submission failed with, in this round or since the last
 */
export async function submitPlanned(lab: Lab): Promise<void> {
  const submissions = submissionsOf.get(lab.store) ?? {
    queue: new PQueue({ concurrency: CONCURRENCY }),
    underWay: new Map(),
    failure: null,
  };
  submissionsOf.set(lab.store, submissions);
  const waiting = planned(await readExperiments(lab));
  const up = (await readCampaign(lab)).fleet.filter(({ state }) => state === 'up');
  for (const cluster of up) {
    const runs = waiting.filter((experiment) => experiment.cluster === cluster.id);
    if (runs.length === 0 || submissions.underWay.has(cluster.name)) continue;
    const work = submissions.queue
      .add(async () => patchExperiments(lab, await submitTo(lab, cluster, runs)))
      .catch((error: unknown) => {
        submissions.failure = error;
      })
      .finally(() => submissions.underWay.delete(cluster.name));
    submissions.underWay.set(cluster.name, work);
  }
  await lab.within(
    PATIENCE_MS,
    Promise.all(submissions.underWay.values()).then(() => undefined),
  );
  const { failure } = submissions;
  submissions.failure = null;
  if (failure !== null) throw failure;
}

async function submitTo(lab: Lab, cluster: FleetCluster, runs: readonly Experiment[]): Promise<Map<Experiment, Patch>> {
  const tasks = [];
  const environments = new Map<SnapshotHash, { key: string; base: SnapshotHash }>();
  for (const run of runs) {
    const environment = environments.get(run.base) ?? (await environmentFor(lab, cluster, run.base));
    environments.set(run.base, environment);
    tasks.push(await taskOf(lab, run, await lab.snapshots.load(environment.base), environment.key));
  }
  const submissions = await lab.backend.submit(nameOf(cluster), tasks).catch((error: unknown) => {
    // It may just have ended by itself: the next look tells, and its neighbours' runs go out now.
    if (error instanceof AutoresearchError && error.code === 'backend_failed') return null;
    throw error;
  });
  if (!submissions) return new Map();
  return new Map(
    runs.map((run): [Experiment, Patch] => {
      const answer = submissions.find(({ name }) => name === jobName(run));
      if (answer?.status === 'submitted') {
        return [run, { state: 'queued', jobId: answer.jobId, queuedAt: lab.now() }];
      }
      const note = `${cluster.id} refused it: ${answer?.reason ?? 'no answer'}.`;
      return [run, giveBack(run, { again: note, lost: note })];
    }),
  );
}

/** The cluster's environment that fits a base, asked for where the cluster has none of that key. */
async function environmentFor(lab: Lab, cluster: FleetCluster, base: SnapshotHash) {
  const { key, request } = await launchRequest(lab, cluster, base);
  const recordIn = (campaign: CampaignFile) => aliveClusters(campaign).find(({ name }) => name === cluster.name);
  const known = recordIn(await readCampaign(lab))?.environments[key];
  if (known) return { key, base: known };
  await updateCampaign(lab, (campaign) => {
    const record = recordIn(campaign);
    if (record) record.environments[key] = base;
  });
  await lab.backend.launch([request]);
  return { key, base };
}
