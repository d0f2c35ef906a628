import type { FleetCluster, Metric } from '../domain/campaign.js';
import { AutoresearchError, type ErrorCode } from '../domain/errors.js';
import { type Experiment, isSettled, metricOf } from '../domain/experiment.js';
import type { ExperimentId } from '../domain/ids.js';
import { ClusterName } from '../ports/cluster-backend.js';
import type { Store } from '../store/store.js';
import { settleClusterWork } from './cluster-work.js';
import { isLookDue, noteLooks } from './due-looks.js';
import { endMarked } from './end-clusters.js';
import { endHopeless } from './end-hopeless.js';
import { giveUpLaunches } from './give-up-launches.js';
import { type Lab, readCampaign, readExperiments, updateCampaign } from './lab.js';
import { launchPlanned } from './launch-planned.js';
import { observe } from './observe.js';
import { patchExperiments } from './patch-experiments.js';
import { LOOK_PATIENCE_MS } from './patience.js';
import { rebalance } from './rebalance.js';
import { placeHomeless, submitPlanned } from './submit-planned.js';

interface Rounds {
  running: Promise<void>;
  next: Promise<void> | null;
}
const roundsOf = new WeakMap<Store, Rounds>();

/**
 * One round: launches what is planned, looks at the machines, writes down what ended, submits what waits. Does nothing where
 * another server holds the lease: that one does it. Calls that meet share a round that began after them.
 */
export function advance(lab: Lab): Promise<void> {
  const rounds = roundsOf.get(lab.store);
  if (!rounds) return start(lab);
  rounds.next ??= rounds.running.catch(() => undefined).then(() => start(lab));
  return rounds.next;
}

/** For who only looks, and can do with what the store holds. @returns as `tryToAdvance` does */
export const lookBriefly = (lab: Lab): Promise<string | null> => tryToAdvance(lab, LOOK_PATIENCE_MS);

/**
 * A round as far as it gets by then.
 * @returns why the machines could not be asked; null: they were, or are just being asked
 */
export async function tryToAdvance(lab: Lab, milliseconds: number): Promise<string | null> {
  try {
    await lab.within(milliseconds, advance(lab));
    return null;
  } catch (error) {
    if (!(error instanceof AutoresearchError) || !UNSEEN.includes(error.code)) throw error;
    return `The machines could not be asked, so this is what was known before: ${error.message} ${error.hint}`;
  }
}

const UNSEEN: readonly ErrorCode[] = ['backend_down', 'backend_failed'];

function start(lab: Lab): Promise<void> {
  const rounds: Rounds = { running: round(lab), next: null };
  roundsOf.set(lab.store, rounds);
  const clear = () => {
    if (rounds.next === null && roundsOf.get(lab.store) === rounds) roundsOf.delete(lab.store);
  };
  rounds.running.then(clear, clear);
  return rounds.running;
}

async function round(lab: Lab): Promise<void> {
  const isIdle = (await readExperiments(lab)).every(({ state }) => isSettled(state));
  if (isIdle && (await readCampaign(lab)).fleet.every(({ state }) => state === 'ended')) return;
  if (!(await lab.store.lease.hold())) return;
  await launchPlanned(lab);
  await writeDown(lab, (cluster, known) => isLookDue(lab, cluster, known));
  await endHopeless(lab);
  await giveUpLaunches(lab);
  await placeHomeless(lab);
  await rebalance(lab);
  await submitPlanned(lab);
  await endMarked(lab, (ending) => writeDown(lab, ({ id }) => ending.some((cluster) => cluster.id === id)));
  await settleClusterWork(lab);
}

async function writeDown(
  lab: Lab,
  isDue: (cluster: FleetCluster, known: readonly Experiment[]) => boolean,
): Promise<void> {
  const [campaign, known] = [await readCampaign(lab), await readExperiments(lab)];
  const { clusters, experiments, logs, strays, asked } = await observe(lab, campaign, known, (cluster) =>
    isDue(cluster, known),
  );
  noteLooks(lab, asked);
  for (const [{ id }, log] of logs) await lab.store.keepText(id, 'log.txt', log);
  // The experiments first: a cluster whose end is on record is not looked at again.
  await patchExperiments(lab, experiments);
  if (clusters.size > 0) {
    await updateCampaign(lab, ({ fleet }) => {
      for (const cluster of fleet.filter(({ state }) => state !== 'ended')) {
        const { state, ...change } = clusters.get(cluster.name) ?? {};
        Object.assign(cluster, change);
        // Somebody may have asked for its end since.
        if (state !== undefined && (cluster.state !== 'ending' || state === 'ended')) cluster.state = state;
      }
    });
  }
  await lab.backend.cancel(strays);
  // What it left was read: the backend may forget it, and end what a lost cluster still runs.
  const ended = [...clusters].flatMap(([name, { state }]) => (state === 'ended' ? ClusterName.parse(name) : []));
  await lab.backend.down(ended);
  await crownBaseline(lab);
}

/** The first incumbent is the unchanged base; of several runs of it the first. */
async function crownBaseline(lab: Lab): Promise<void> {
  const { incumbent, metric } = await readCampaign(lab);
  if (incumbent !== null) return;
  const baseline = firstIncumbent(await readExperiments(lab), metric);
  if (baseline) await updateCampaign(lab, (campaign) => void Object.assign(campaign, { incumbent: baseline }));
}

export const firstIncumbent = (experiments: readonly Experiment[], { name }: Metric): ExperimentId | null =>
  experiments.find((run) => run.isBaseline && metricOf(run, name) !== null)?.id ?? null;
