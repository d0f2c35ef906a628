import { assertWithinBudget } from '../domain/budget.js';
import type { CampaignFile } from '../domain/campaign.js';
import type { Total } from '../domain/cost.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, type ExperimentRequest, isSettled, metricOf } from '../domain/experiment.js';
import type { ClusterId, ExperimentId } from '../domain/ids.js';
import type { Bound } from '../domain/new-clusters.js';
import type { TaskFile } from '../domain/project.js';
import type { Snapshot } from '../domain/snapshot.js';
import { experimentsOf, type Wave, type WaveFile } from '../domain/wave.js';
import { billFor } from './budget.js';
import { readTask } from './environment.js';
import { type Placement, placeOnFleet } from './fleet.js';
import { findCluster, type Lab, readCampaign, readExperiments, updateCampaign } from './lab.js';
import { type SnapshottedRequest, snapshotRequests } from './snapshot-requests.js';

export interface PlanRequest {
  readonly description: string;
  readonly kind: Wave['kind'];
  readonly factors: Wave['factors'];
  readonly requests: readonly ExperimentRequest[];
  /** Runs of each request. */
  readonly replicates: number;
  /** Any of these will do; empty: whatever there is. */
  readonly accelerators: readonly string[];
  /** This cluster and no other; null: the fleet, fastest finish first. */
  readonly cluster: ClusterId | null;
  /** Whether the unchanged base is added where the campaign has no run of it. */
  readonly withBaseline: boolean;
}

export interface Duplicate {
  readonly description: string;
  readonly of: Experiment;
}

export interface Plan {
  /** null when everything was run before. */
  readonly wave: WaveFile | null;
  readonly duplicates: readonly Duplicate[];
  /** False when the project's code is not what the incumbent ran. */
  readonly baseIsIncumbent: boolean;
  /** What the wave is expected to cost, the last idle minutes of its new clusters included; null without a wave. */
  readonly cost: Total | null;
  /** The limit that kept the fleet smaller than the wave would have had it, with the clusters that are new. */
  readonly bound: { readonly by: Bound; readonly launched: number } | null;
}

const BASELINE: ExperimentRequest = {
  description: 'baseline: the unchanged base',
  overrides: {},
  edits: [],
  workdir: null,
  replicateOf: null,
  levels: {},
};

/**
 * Snapshots, checks, places and stores the runs. Nothing is submitted yet, and nothing is stored when one of them is bad.
 * @throws invalid_code, invalid_project, too_large, over_budget, no_capacity, not_ours
 */
export async function planRuns(lab: Lab, ask: PlanRequest): Promise<Plan> {
  const { base, runs } = await snapshotRequests(lab, ask.withBaseline ? [BASELINE, ...ask.requests] : ask.requests);
  const task = await readTask(lab, base); // a project without a task is told so before anything is stored
  const accelerators = ask.accelerators.length > 0 ? ask.accelerators : defaultAccelerators(lab, task);
  const plan = await lab.store.whilePlanning(() => storePlan(lab, { ...ask, accelerators }, base, runs));
  for (const { id, base: from, snapshot } of plan.wave ? experimentsOf(plan.wave) : []) {
    await lab.store.keepText(id, 'diff.patch', await lab.snapshots.diff(from, snapshot));
  }
  return plan;
}

/** Where machines are chosen, what the task itself asks for: its price is then known before it is launched. */
const defaultAccelerators = (lab: Lab, { resources }: TaskFile): readonly string[] =>
  (lab.backend.capabilities.choosesAccelerators && resources?.accelerators) || [];

async function storePlan(
  lab: Lab,
  ask: PlanRequest,
  base: Snapshot,
  runs: readonly SnapshottedRequest[],
): Promise<Plan> {
  const campaign = await readCampaign(lab);
  const experiments = await readExperiments(lab);
  if (ask.cluster !== null && findCluster(campaign, ask.cluster).state === 'ending') {
    throw new AutoresearchError(
      'not_found',
      `${ask.cluster} is going down.`,
      'Call launch_wave: it finds other clusters.',
    );
  }
  const asked = needsBaseline(campaign, experiments) ? runs : runs.filter(({ request }) => request !== BASELINE);

  const everywhere = (await lab.store.waves()).flatMap(experimentsOf);
  const answers = everywhere.filter(
    (run) => run.campaign === campaign.name || metricOf(run, campaign.metric.name) !== null,
  );
  const { fresh, duplicates, twins } = apartFromDuplicates(asked, answers);
  const incumbent = experiments.find(({ id }) => id === campaign.incumbent);
  const baseIsIncumbent = !incumbent || incumbent.snapshot === base.hash;
  if (fresh.length === 0) return { wave: null, duplicates, baseIsIncumbent, cost: null, bound: null };
  const count = fresh.length * ask.replicates;
  assertWithinLimits(lab, experiments, count);

  const placement = await place(lab, ask, campaign, experiments, count);
  const { placed, launched, bound } = placement;
  const bill = billFor(lab, campaign, experiments, placement);
  assertWithinBudget(bill, lab.project.settings.limits.max_cost_usd);
  await updateCampaign(lab, ({ fleet }) => void fleet.push(...launched));
  const wave = await storeWave(lab, ask, base, fresh, placed);
  const stored = wave ? experimentsOf(wave) : [];
  const ofTwins = twins.flatMap(({ request: { description }, snapshot }) => {
    const of = stored.find((experiment) => experiment.snapshot === snapshot.hash);
    return of ? [{ description, of }] : [];
  });
  return {
    wave,
    duplicates: [...duplicates, ...ofTwins],
    baseIsIncumbent,
    cost: bill.added,
    bound: bound && { by: bound, launched: launched.length },
  };
}

async function place(
  lab: Lab,
  { cluster, accelerators }: PlanRequest,
  campaign: CampaignFile,
  experiments: readonly Experiment[],
  count: number,
): Promise<Placement> {
  if (cluster === null) return placeOnFleet(lab, accelerators, campaign, experiments, count);
  return { placed: Array.from({ length: count }, () => cluster), launched: [], bound: null };
}

const needsBaseline = (campaign: CampaignFile, experiments: readonly Experiment[]): boolean =>
  campaign.incumbent === null && !experiments.some(({ isBaseline, state }) => isBaseline && !isSettled(state));

/** A configuration that ran to its end, or is about to, is never run again unasked. One that was lost or cancelled is. */
function apartFromDuplicates(runs: readonly SnapshottedRequest[], earlier: readonly Experiment[]) {
  const answers = earlier.filter(({ state }) => !isSettled(state) || state === 'done' || state === 'crashed');
  const seen = new Set<string>();
  const fresh: SnapshottedRequest[] = [];
  const duplicates: Duplicate[] = [];
  const twins: SnapshottedRequest[] = [];
  for (const run of runs) {
    const { request, snapshot } = run;
    const mayRepeat = request === BASELINE || request.replicateOf !== null;
    const of = mayRepeat ? undefined : answers.findLast((known) => known.snapshot === snapshot.hash);
    if (of) duplicates.push({ description: request.description, of });
    else if (request.replicateOf !== null || !seen.has(snapshot.hash)) fresh.push(run);
    else if (!replacesBaseline(fresh, run)) twins.push(run);
    seen.add(snapshot.hash);
  }
  return { fresh, duplicates, twins };
}

/** A design's point that is the unchanged base takes the place of the baseline that was added for it. */
function replacesBaseline(fresh: SnapshottedRequest[], run: SnapshottedRequest): boolean {
  const index = fresh.findIndex(({ request, snapshot }) => request === BASELINE && snapshot.hash === run.snapshot.hash);
  if (index >= 0) fresh[index] = run;
  return index >= 0;
}

function assertWithinLimits(lab: Lab, experiments: readonly Experiment[], count: number): void {
  const most = lab.project.settings.limits.max_experiments;
  const used = experiments.filter(({ state }) => state !== 'cancelled').length;
  if (most === null || used + count <= most) return;
  throw new AutoresearchError(
    'over_budget',
    `limits.max_experiments is ${most}; ${used} were run or are under way, and ${count} more would make ${used + count}.`,
    used < most ? `Ask for at most ${most - used}.` : 'Write the report, or raise the limit in autoresearch.yaml.',
  );
}

function storeWave(
  lab: Lab,
  ask: PlanRequest,
  base: Snapshot,
  fresh: readonly SnapshottedRequest[],
  placed: readonly ClusterId[],
): Promise<WaveFile | null> {
  const now = lab.now();
  return lab.store.createWave((ids) => {
    const first = new Map<SnapshottedRequest, ExperimentId>();
    const planned = Array.from({ length: ask.replicates }).flatMap((_, round) =>
      fresh.map((run, index): Experiment => {
        const { request, snapshot } = run;
        const id = ids.experiment();
        const replicateOf = request.replicateOf ?? first.get(run) ?? null;
        if (!first.has(run)) first.set(run, id);
        return {
          id,
          waveId: ids.wave,
          campaign: lab.project.campaign,
          description: request.description,
          overrides: { ...request.overrides },
          edits: [...request.edits],
          workdir: request.workdir,
          levels: { ...request.levels },
          replicateOf,
          isBaseline: snapshot.hash === run.base.hash,
          snapshot: snapshot.hash,
          base: run.base.hash,
          state: 'planned',
          note: null,
          cluster: placed[round * fresh.length + index] ?? null,
          jobId: null,
          move: null,
          attempt: 1,
          losses: 0,
          nonce: lab.randomId(),
          plannedAt: now,
          queuedAt: null,
          startedAt: null,
          endedAt: null,
          settledAt: null,
          accelerators: null,
          hardware: null,
          pricePerHourUsd: null,
          exitCode: null,
          metrics: null,
          facts: {},
          modelConfig: null,
          crash: null,
        };
      }),
    );
    return {
      wave: {
        id: ids.wave,
        campaign: lab.project.campaign,
        description: ask.description,
        kind: ask.kind,
        factors: ask.factors,
        base: base.hash,
        accelerators: [...ask.accelerators],
        createdAt: now,
      },
      experiments: Object.fromEntries(planned.map((experiment) => [experiment.id, experiment])),
    };
  });
}
