import PQueue from 'p-queue';
import type { FleetCluster } from '../domain/campaign.js';
import { type Experiment, jobName } from '../domain/experiment.js';
import { taskOf } from './environment.js';
import { placeOnFleet } from './fleet.js';
import { type Lab, nameOf, readCampaign, readExperiments, updateCampaign } from './lab.js';
import { launchRequest } from './launch-planned.js';
import { type Patch, patchExperiments } from './patch-experiments.js';

/** Clusters that are asked at the same time. */
const CONCURRENCY = 4;

const planned = (experiments: readonly Experiment[]) => experiments.filter(({ state }) => state === 'planned');

/** Runs whose cluster ended before it took them, or was lost under them, get another. */
export async function placeHomeless(lab: Lab): Promise<void> {
  const campaign = await readCampaign(lab);
  const experiments = await readExperiments(lab);
  const homes = new Set(campaign.fleet.filter(({ state }) => state !== 'ended').map(({ id }) => id));
  const homeless = planned(experiments).filter(({ cluster }) => cluster === null || !homes.has(cluster));
  if (homeless.length === 0) return;
  // Without any cluster they stay planned; the next round asks again.
  const placement = await placeOnFleet(lab, [], campaign, experiments, homeless.length).catch(() => null);
  if (!placement) return;
  await updateCampaign(lab, ({ fleet }) => void fleet.push(...placement.launched));
  await patchExperiments(
    lab,
    new Map(homeless.map((run, index) => [run, { cluster: placement.placed[index] ?? null }])),
  );
}

/** Everything that waits for a cluster that is up goes into that cluster's own queue, and runs on with no server alive. */
export async function submitPlanned(lab: Lab): Promise<void> {
  const campaign = await readCampaign(lab);
  const waiting = planned(await readExperiments(lab));
  const queue = new PQueue({ concurrency: CONCURRENCY });
  const patches = new Map<Experiment, Patch>();
  const up = campaign.fleet.filter(({ state }) => state === 'up');
  await queue.addAll(
    up.map((cluster) => async () => {
      const runs = waiting.filter((experiment) => experiment.cluster === cluster.id);
      if (runs.length > 0) for (const [run, patch] of await submitTo(lab, cluster, runs)) patches.set(run, patch);
    }),
  );
  await patchExperiments(lab, patches);
}

async function submitTo(lab: Lab, cluster: FleetCluster, runs: readonly Experiment[]): Promise<Map<Experiment, Patch>> {
  const tasks = [];
  for (const run of runs) {
    const { key, base } = await environmentFor(lab, cluster, run);
    tasks.push(await taskOf(lab, run, await lab.snapshots.load(base), key));
  }
  const submissions = await lab.backend.submit(nameOf(cluster), tasks);
  return new Map(
    runs.map((run): [Experiment, Patch] => {
      const answer = submissions.find(({ name }) => name === jobName(run));
      return [
        run,
        answer?.status === 'submitted'
          ? { state: 'queued', jobId: answer.jobId, queuedAt: lab.now(), note: null }
          : { state: 'cancelled', note: `${cluster.id} refused it: ${answer?.reason ?? 'no answer'}` },
      ];
    }),
  );
}

/** The cluster's environment that fits the run, asked for where the cluster has none of that key. */
async function environmentFor(lab: Lab, cluster: FleetCluster, run: Experiment) {
  const { key, request } = await launchRequest(lab, cluster, run.base);
  const known = (await readCampaign(lab)).fleet.find(({ name, state }) => name === cluster.name && state !== 'ended');
  const base = known?.environments[key];
  if (base) return { key, base };
  await updateCampaign(lab, ({ fleet }) => {
    const record = fleet.find(({ name, state }) => name === cluster.name && state !== 'ended');
    if (record) record.environments[key] = run.base;
  });
  await lab.backend.launch([request]);
  return { key, base: run.base };
}
