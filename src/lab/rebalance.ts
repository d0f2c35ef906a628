import type { FleetCluster } from '../domain/campaign.js';
import type { Experiment } from '../domain/experiment.js';
import { movesToIdle, type Waiting } from '../domain/placement.js';
import { beginClusterWork } from './cluster-work.js';
import { matchesAccelerators, startsInSeconds } from './fleet.js';
import { type Lab, nameOf, readCampaign, readExperiments, readWaves, servingClusters } from './lab.js';
import { isBeingMoved, movedPatch } from './move-run.js';
import { patchExperiments } from './patch-experiments.js';

/** Moving costs a cancellation and a submission, which take some machines half a minute. */
const LEAST_GAIN_SECONDS = 60;
/** A launch that takes longer than this waits for a machine: nobody knows for how long. */
const SLOW_LAUNCH_MS = 180_000;

/**
 * What waits behind others goes to a cluster that has nothing to do. Only what is where it was placed first: nothing goes to
 * and fro.
 */
export async function rebalance(lab: Lab): Promise<void> {
  if ((await movesOf(lab)).size > 0) {
    await lab.store.whilePlanning(async () => patchExperiments(lab, await movesOf(lab)));
  }
  const { fleet } = await readCampaign(lab);
  for (const run of (await readExperiments(lab)).filter(isBeingMoved)) {
    const { jobId } = run;
    const from = fleet.find(({ id, state }) => id === run.move.from && state === 'up');
    if (run.state === 'running') {
      // Its turn came before the cancellation did.
      await patchExperiments(lab, new Map([[run, { move: null }]]));
    } else if (from && jobId !== null) {
      beginClusterWork(lab, `move ${run.id}`, () => lab.backend.cancel([{ cluster: nameOf(from), jobId }]));
    }
  }
}

async function movesOf(lab: Lab) {
  const clusters = servingClusters(await readCampaign(lab));
  const experiments = await readExperiments(lab);
  const idle = clusters.filter(
    ({ id, state }) =>
      state === 'up' &&
      startsInSeconds(id, experiments, lab.now(), null) === 0 &&
      experiments.every(({ move }) => move?.to !== id),
  );
  if (idle.length === 0) return new Map();
  const wanted = new Map((await readWaves(lab)).map(({ wave }) => [wave.id, wave.accelerators]));
  const waiting = clusters.flatMap((cluster) => waitingAt(lab, cluster, experiments));
  const moves = movesToIdle(waiting, idle, LEAST_GAIN_SECONDS, (run, cluster) =>
    matchesAccelerators(lab, cluster, wanted.get(run.waveId) ?? []),
  );
  return new Map(
    moves.map(({ run, to }) => {
      const move = { from: run.cluster ?? to.id, to: to.id };
      // What no queue has seen goes at once.
      return [run, run.state === 'planned' ? movedPatch(run, move) : { move }];
    }),
  );
}

function waitingAt(lab: Lab, cluster: FleetCluster, experiments: readonly Experiment[]): Waiting<Experiment>[] {
  const isSlow = cluster.state !== 'up' && lab.now() - cluster.launchedAt > SLOW_LAUNCH_MS;
  if (cluster.state !== 'up' && !isSlow) return [];
  return experiments
    .filter(({ cluster: id, state, move, attempt }) => {
      // On a cluster that is up, what is planned is on its way into the queue.
      const waits = isSlow ? state === 'planned' : state === 'queued';
      return id === cluster.id && waits && move === null && attempt === 1;
    })
    .map((run) => ({
      run,
      startsInSeconds: isSlow ? Number.POSITIVE_INFINITY : startsInSeconds(cluster.id, experiments, lab.now(), run),
    }));
}
