import { assertWithinBudget } from '../domain/budget.js';
import type { Total } from '../domain/cost.js';
import { AutoresearchError } from '../domain/errors.js';
import type { Experiment } from '../domain/experiment.js';
import type { Bound } from '../domain/new-clusters.js';
import type { TaskFile } from '../domain/project.js';
import type { Snapshot } from '../domain/snapshot.js';
import { experimentsOf, type WaveFile } from '../domain/wave.js';
import { BASELINE } from './baseline.js';
import { draftPlan } from './draft-plan.js';
import type { Duplicate } from './duplicates.js';
import { readTask } from './environment.js';
import { type Lab, updateCampaign } from './lab.js';
import type { PlanRequest } from './plan-request.js';
import { seatPlan } from './seat-plan.js';
import { type SnapshottedRequest, snapshotRequests } from './snapshot-requests.js';
import { storeWave } from './store-wave.js';

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
  /** Interactions that cannot be told from the clusters. */
  readonly blockedBy: readonly string[];
}

/**
 * Snapshots, checks, places and stores the runs. Nothing is submitted yet, and nothing is stored when one of them is bad.
 * @throws invalid_code, invalid_project, too_large, over_budget, no_capacity, not_ours
 */
export async function planRuns(lab: Lab, ask: PlanRequest): Promise<Plan> {
  const { base, runs, accelerators } = await snapshotPlan(lab, ask);
  const plan = await lab.store.whilePlanning(() => storePlan(lab, { ...ask, accelerators }, base, runs));
  for (const { id, base: from, snapshot } of plan.wave ? experimentsOf(plan.wave) : []) {
    await lab.store.keepText(id, 'diff.patch', await lab.snapshots.diff(from, snapshot));
  }
  return plan;
}

/** The code of each run, the base's among them where it may be needed, and what they may run on. */
export async function snapshotPlan(lab: Lab, ask: PlanRequest) {
  const { base, runs } = await snapshotRequests(lab, ask.withBaseline ? [BASELINE, ...ask.requests] : ask.requests);
  const task = await readTask(lab, base); // a project without a task is told so before anything is stored
  const accelerators = ask.accelerators.length > 0 ? ask.accelerators : defaultAccelerators(lab, task);
  return { base, runs, accelerators };
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
  const draft = await draftPlan(lab, ask, base, runs);
  const { fresh, duplicates, twins, baseIsIncumbent } = draft;
  if (fresh.length === 0) {
    return { wave: null, duplicates, baseIsIncumbent, cost: null, bound: null, blockedBy: [] };
  }
  const seated = await seatPlan(lab, ask, draft);
  assertWithinLimits(lab, draft.experiments, seated.runs.length);
  const { launched, bound } = seated.placement;
  assertWithinBudget(seated.bill, lab.project.settings.limits.max_cost_usd);
  await updateCampaign(lab, ({ fleet }) => void fleet.push(...launched));
  const wave = await storeWave(lab, ask, base, seated.runs);
  const stored = wave ? experimentsOf(wave) : [];
  const ofTwins = twins.flatMap(({ description, of: { snapshot }, why }) => {
    const of = stored.find((experiment) => experiment.snapshot === snapshot.hash);
    return of ? [{ description, of, why }] : [];
  });
  return {
    wave,
    duplicates: [...duplicates, ...ofTwins],
    baseIsIncumbent,
    cost: seated.bill.added,
    bound: bound && { by: bound, launched: launched.length },
    blockedBy: seated.seating.generators,
  };
}

export function assertWithinLimits(lab: Lab, experiments: readonly Experiment[], count: number): void {
  const most = lab.project.settings.limits.max_experiments;
  const used = experiments.filter(({ state }) => state !== 'cancelled').length;
  if (most === null || used + count <= most) return;
  throw new AutoresearchError(
    'over_budget',
    `limits.max_experiments is ${most}; ${used} were run or are under way, and ${count} more would make ${used + count}.`,
    used < most ? `Ask for at most ${most - used}.` : 'Write the report, or raise the limit in autoresearch.yaml.',
  );
}
