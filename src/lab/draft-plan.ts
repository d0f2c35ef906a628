import type { CampaignFile } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, metricOf } from '../domain/experiment.js';
import type { Snapshot } from '../domain/snapshot.js';
import { experimentsOf } from '../domain/wave.js';
import { BASELINE, needsBaseline, openBaseline } from './baseline.js';
import { apartFromDuplicates, type FreshRun, isSameCode, type Parted } from './duplicates.js';
import { identityOf } from './identify.js';
import { findCluster, type Lab, readCampaign, readExperiments } from './lab.js';
import type { PlanRequest } from './plan-request.js';
import { replicateOf, type SnapshottedRequest } from './snapshot-requests.js';
import { asPrinted } from './spelt-out.js';

/** What was asked for, sorted by what the project knows; nothing is placed or stored yet. */
export interface Draft extends Parted {
  readonly campaign: CampaignFile;
  /** Of this campaign. */
  readonly experiments: readonly Experiment[];
  /** Of all campaigns, as far as they can answer for a run of this one. */
  readonly answers: readonly Experiment[];
  /** False when the project's code is not what the incumbent ran. */
  readonly baseIsIncumbent: boolean;
  /** What a sentinel of the wave runs; null where there is nothing to replicate. */
  readonly sentinel: FreshRun | null;
  /** Sentinels beside those that the design holds itself: what was asked for, or the default. */
  readonly moreSentinels: number;
  /** Whether each accelerator of the wave gets one. */
  readonly wantsSentinels: boolean;
}

/** Below this a wave is a look, not a measurement: sentinels would cost a quarter of it. */
const SENTINELS_FROM_RUNS = 8;
/** Where several were not asked for: two more runs of the incumbent give a noise floor and tell two clusters apart. */
const DEFAULT_SENTINELS = 2;

/** @throws not_found, not_ours for a cluster that takes no work */
export async function draftPlan(
  lab: Lab,
  ask: PlanRequest,
  base: Snapshot,
  runs: readonly SnapshottedRequest[],
): Promise<Draft> {
  const campaign = await readCampaign(lab);
  const experiments = await readExperiments(lab);
  if (ask.cluster !== null && findCluster(campaign, ask.cluster).state === 'ending') {
    throw new AutoresearchError(
      'not_found',
      `${ask.cluster} is going down.`,
      'Call launch_wave: it finds other clusters.',
    );
  }
  const { name } = campaign.metric;
  const asked = needsBaseline(campaign, experiments) ? runs : runs.filter(({ request }) => request !== BASELINE);
  const answers = (await lab.store.waves())
    .flatMap(experimentsOf)
    .filter((run) => !run.imported && (run.campaign === campaign.name || metricOf(run, name) !== null));
  const incumbent = experiments.find(({ id }) => id === campaign.incumbent) ?? null;
  const known = await asPrinted(lab, asked, answers, acceleratorsFor(lab, campaign, ask));
  const parted = apartFromDuplicates(known, answers, { mayRepeat: ask.kind === 'list' ? null : incumbent });

  const reference = incumbent ?? openBaseline(experiments);
  const sentinel = await sentinelOf(lab, reference, parted.fresh);
  const count = parted.fresh.length * ask.replicates;
  const isMeasured = incumbent !== null && metricOf(incumbent, name) !== null;
  const wanted =
    ask.sentinels ?? (ask.sentinels === null && isMeasured && count >= SENTINELS_FROM_RUNS ? DEFAULT_SENTINELS : 0);
  const own = parted.fresh.filter(({ isSentinel }) => isSentinel).length * ask.replicates;
  const isPossible = sentinel !== null && count > 0;
  return {
    ...parted,
    campaign,
    experiments,
    answers,
    baseIsIncumbent:
      !incumbent || isSameCode(incumbent, { snapshot: base, identity: await identityOf(lab.snapshots, base) }),
    sentinel,
    moreSentinels: isPossible ? Math.max(0, wanted - own) : 0,
    wantsSentinels: isPossible && wanted > 0,
  };
}

/** What the runs may be given; null: what this machine has. */
function acceleratorsFor(lab: Lab, campaign: CampaignFile, { cluster, accelerators }: PlanRequest) {
  if (!lab.backend.capabilities.choosesAccelerators) return null;
  const one = cluster === null ? null : findCluster(campaign, cluster).accelerators;
  return one === null ? accelerators : [one];
}

const NAME = 'sentinel: the incumbent once more';

/** A replicate of the incumbent, or of the base that will be it: one that runs already, or the one in this wave. */
async function sentinelOf(
  lab: Lab,
  reference: Experiment | null,
  fresh: readonly FreshRun[],
): Promise<FreshRun | null> {
  if (reference?.imported) return null;
  if (reference) {
    const run = await replicateOf(lab, reference, { description: NAME, levels: {} });
    return { run, replicateOf: reference.id, isSentinel: true };
  }
  const baseline = fresh.find(({ run }) => run.isBaseline && run.request.replicateOf === null);
  if (!baseline) return null;
  const run = { ...baseline.run, request: { ...baseline.run.request, description: NAME, levels: {} } };
  return { run, replicateOf: null, isSentinel: true };
}
