import type { CampaignFile, FleetCluster } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, jobName } from '../domain/experiment.js';
import type { SnapshotHash } from '../domain/ids.js';
import { experimentsOf } from '../domain/wave.js';
import { beginClusterWork, submissionTo } from './cluster-work.js';
import { noteLooks } from './due-looks.js';
import { taskOf } from './environment.js';
import { placeOnFleet } from './fleet.js';
import { giveBack } from './give-back.js';
import { aliveClusters, type Lab, nameOf, readCampaign, readExperiments, readWaves, updateCampaign } from './lab.js';
import { launchRequest } from './launch-planned.js';
import { type Patch, patchExperiments } from './patch-experiments.js';

const planned = (experiments: readonly Experiment[]) => experiments.filter(({ state }) => state === 'planned');

/** Runs whose cluster ended before it took them, or was lost under them, get another of the kind their wave asked for. */
export async function placeHomeless(lab: Lab): Promise<void> {
  if ((await homelessWaves(lab)).length === 0) return;
  await lab.store.whilePlanning(async () => {
    for (const { accelerators, runs } of await homelessWaves(lab)) await placeRunsAnew(lab, accelerators, runs);
  });
}

async function homelessWaves(lab: Lab) {
  // What stands on a cluster that is going down ends with it.
  const homes = new Set(aliveClusters(await readCampaign(lab)).map(({ id }) => id));
  return (await readWaves(lab)).flatMap((file) => {
    const runs = planned(experimentsOf(file)).filter(({ cluster }) => cluster === null || !homes.has(cluster));
    return runs.length > 0 ? [{ accelerators: file.wave.accelerators, runs }] : [];
  });
}

async function placeRunsAnew(lab: Lab, accelerators: readonly string[], runs: readonly Experiment[]): Promise<void> {
  const campaign = await readCampaign(lab);
  // Where they were may be the name of another cluster by now.
  const ids = new Set(runs.map(({ id }) => id));
  const others = (await readExperiments(lab)).filter(({ id }) => !ids.has(id));
  const placement = await placeOnFleet(lab, accelerators, campaign, others, runs.length).catch((error: unknown) => {
    // Without any cluster they stay planned; the next round asks again.
    if (error instanceof AutoresearchError && ['no_capacity', 'over_budget'].includes(error.code)) return null;
    throw error;
  });
  if (!placement) return;
  await updateCampaign(lab, ({ fleet }) => void fleet.push(...placement.launched));
  await patchExperiments(lab, new Map(runs.map((run, index) => [run, { cluster: placement.placed[index] ?? null }])));
}

/** Everything that waits for a cluster that is up goes into that cluster's own queue, and runs on with no server alive. */
export async function submitPlanned(lab: Lab): Promise<void> {
  const waiting = planned(await readExperiments(lab));
  for (const cluster of (await readCampaign(lab)).fleet.filter(({ state }) => state === 'up')) {
    const runs = waiting.filter((experiment) => experiment.cluster === cluster.id);
    if (runs.length === 0) continue;
    beginClusterWork(lab, submissionTo(cluster.name), async () => {
      await patchExperiments(lab, await submitTo(lab, cluster, runs));
      // Nothing can have come of them yet.
      noteLooks(lab, [cluster.id]);
    });
  }
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
