import { levelLabel } from '../domain/analysis/main-effects.js';
import { type AliasedLevels, aliasedLevels } from '../domain/analysis/model-aliases.js';
import { assertWithinBudget } from '../domain/budget.js';
import type { Total } from '../domain/cost.js';
import { AutoresearchError } from '../domain/errors.js';
import type { ExperimentRequest } from '../domain/experiment.js';
import type { ClusterId } from '../domain/ids.js';
import { unsavedSnapshots } from '../store/unsaved-snapshots.js';
import { type Draft, draftPlan } from './draft-plan.js';
import { queuesOf, typicalRunSeconds } from './fleet.js';
import { aliveClusters, type Lab } from './lab.js';
import type { PlanRequest } from './plan-request.js';
import { assertWithinLimits, snapshotPlan } from './plan-runs.js';
import { type SeatedPlan, seatPlan } from './seat-plan.js';

export interface WavePreview {
  readonly draft: Draft;
  /** null where the wave would be refused, or all of it was run before. */
  readonly seated: SeatedPlan | null;
  /** Why launch_wave would refuse it; null: it would not. */
  readonly refusal: string | null;
  /** Until the last run has ended, machines that are still to come up not counted; null without a placement. */
  readonly seconds: number | null;
  /** False while no run of the campaign has ended: each is taken to last as long as it may. */
  readonly isTimed: boolean;
  readonly cost: Total | null;
  /** Levels of the design that earlier runs showed to be one model. */
  readonly aliasedLevels: readonly AliasedLevels[];
}

const REFUSALS = new Set(['over_budget', 'no_capacity']);

/**
 * What launch_wave would do with the same words; nothing is written, launched or held.
 * @throws as planRuns does for what is wrong with the runs themselves
 */
export async function previewWave(lab: Lab, ask: PlanRequest): Promise<WavePreview> {
  const dry: Lab = { ...lab, snapshots: unsavedSnapshots(lab.snapshots) };
  const { base, runs, accelerators } = await snapshotPlan(dry, ask);
  const draft = await draftPlan(dry, { ...ask, accelerators }, base, runs);
  const isTimed = typicalRunSeconds(draft.experiments) !== null;
  const known = { draft, isTimed, aliasedLevels: aliasedIn(ask.requests, draft) };
  const nothing = { seated: null, seconds: null, cost: null };
  if (draft.fresh.length === 0) return { ...known, ...nothing, refusal: null };
  try {
    const seated = await seatPlan(dry, { ...ask, accelerators }, draft);
    assertWithinLimits(lab, draft.experiments, seated.runs.length);
    assertWithinBudget(seated.bill, lab.project.settings.limits.max_cost_usd);
    return { ...known, seated, seconds: secondsOf(lab, draft, seated), cost: seated.bill.added, refusal: null };
  } catch (error) {
    if (!(error instanceof AutoresearchError) || !REFUSALS.has(error.code)) throw error;
    return { ...known, ...nothing, refusal: `${error.message} ${error.hint}` };
  }
}

function secondsOf(lab: Lab, { campaign, experiments }: Draft, { runs, placement }: SeatedPlan): number {
  const runSeconds = typicalRunSeconds(experiments) ?? lab.project.settings.limits.job_timeout_minutes * 60;
  const clusters = [...aliveClusters(campaign), ...placement.launched];
  const ends = queuesOf(clusters, experiments, lab.now(), runSeconds).map(({ cluster, busySeconds }) => {
    const count = countOn(runs, cluster);
    return count === 0 ? 0 : busySeconds + count * runSeconds;
  });
  return Math.max(0, ...ends);
}

const countOn = (runs: SeatedPlan['runs'], id: ClusterId): number =>
  runs.filter(({ cluster }) => cluster === id).length;

/** Only levels that the design holds too, two at least: others cost nothing. */
function aliasedIn(requests: readonly ExperimentRequest[], { answers }: Draft): AliasedLevels[] {
  const levels = new Map<string, Set<string>>();
  for (const { overrides } of requests) {
    for (const [name, value] of Object.entries(overrides)) {
      levels.set(name, (levels.get(name) ?? new Set()).add(levelLabel(value)));
    }
  }
  return [...levels].flatMap(([name, asked]) =>
    aliasedLevels(name, answers)
      .map((alias) => {
        const isAsked = alias.levels.map((level) => asked.has(level));
        return {
          ...alias,
          levels: alias.levels.filter((_, index) => isAsked[index]),
          experiments: alias.experiments.filter((_, index) => isAsked[index]),
        };
      })
      .filter(({ levels: both }) => both.length > 1),
  );
}
