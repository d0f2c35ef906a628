import { levelLabel } from './analysis/main-effects.js';
import { compareMetric, type Goal } from './campaign.js';
import type { Decision } from './decision.js';
import type { Experiment, ExperimentState, Literal } from './experiment.js';

/** A run as the results database knows it. */
export interface QueriedRun {
  readonly experiment: Experiment;
  /** Of the metric asked about; null: no result. */
  readonly value: number | null;
  /** Each factor's level and each constant's value in the code that it ran, the base's where it changes none. */
  readonly levels: Readonly<Record<string, Literal>>;
}

/** One of these values, or a number from `min` to `max`, both included. */
export type Wanted =
  | { readonly oneOf: readonly Literal[] }
  | { readonly min: number | null; readonly max: number | null };

/** All must hold; what is null does not count. */
export interface Where {
  readonly states: readonly ExperimentState[] | null;
  readonly campaign: string | null;
  readonly waveId: string | null;
  /** `H100:1`, or `H100` for any number of them. */
  readonly accelerators: string | null;
  readonly decision: Decision['kind'] | 'none' | null;
  /** Part of the description, case aside. */
  readonly text: string | null;
  readonly levels: Readonly<Record<string, Wanted>>;
}

export function filterRuns(runs: readonly QueriedRun[], where: Where): QueriedRun[] {
  const text = where.text?.toLowerCase() ?? null;
  return runs.filter(({ experiment, levels }) => {
    const { state, campaign, waveId, accelerators, decision, description } = experiment;
    return (
      (where.states === null || where.states.includes(state)) &&
      (where.campaign === null || where.campaign === campaign) &&
      (where.waveId === null || where.waveId === waveId) &&
      (where.accelerators === null || isOf(where.accelerators, accelerators)) &&
      (where.decision === null || where.decision === (decision?.kind ?? 'none')) &&
      (text === null || description.toLowerCase().includes(text)) &&
      Object.entries(where.levels).every(([name, wanted]) => isWanted(levels[name], wanted))
    );
  });
}

function isOf(wanted: string, accelerators: string | null): boolean {
  const found = accelerators?.toLowerCase() ?? '';
  return found === wanted.toLowerCase() || found.startsWith(`${wanted.toLowerCase()}:`);
}

function isWanted(level: Literal | undefined, wanted: Wanted): boolean {
  if (level === undefined) return false;
  if ('oneOf' in wanted) return wanted.oneOf.some((value) => levelLabel(value) === levelLabel(level));
  return typeof level === 'number' && level >= (wanted.min ?? level) && level <= (wanted.max ?? level);
}

/** `metric`: the best first; `planned`: the latest first; else by that constant or factor. What has none comes last. */
export function sortRuns(runs: readonly QueriedRun[], by: string, goal: Goal): QueriedRun[] {
  const byMetric = (a: QueriedRun, b: QueriedRun) =>
    a.value === null || b.value === null
      ? Number(a.value === null) - Number(b.value === null)
      : compareMetric(goal, a.value, b.value);
  // From the newest on, so that of two equal ones the later is first.
  const latest = [...runs].reverse();
  if (by === 'planned') return latest;
  if (by === 'metric') return latest.sort(byMetric);
  return latest.sort((a, b) => compareLevels(a.levels[by], b.levels[by]) || byMetric(a, b));
}

export interface LevelGroup {
  readonly level: Literal;
  /** Runs that have a result, which mean and best are of. */
  readonly n: number;
  readonly mean: number | null;
  readonly best: QueriedRun | null;
  /** Crashed or timed out. */
  readonly crashes: number;
}

export interface Grouped {
  readonly groups: readonly LevelGroup[];
  /** Runs of which nobody knows the level: their code has no such constant. */
  readonly without: number;
}

/** What came of each level of a constant or factor, over everything else that differed; in the levels' order. */
export function groupRuns(runs: readonly QueriedRun[], factor: string, goal: Goal): Grouped {
  const byLabel = new Map<string, { level: Literal; runs: QueriedRun[] }>();
  let without = 0;
  for (const run of runs) {
    const level = run.levels[factor];
    if (level === undefined) {
      without++;
      continue;
    }
    const group = byLabel.get(levelLabel(level)) ?? { level, runs: [] };
    group.runs.push(run);
    byLabel.set(levelLabel(level), group);
  }
  const groups = [...byLabel.values()]
    .sort((a, b) => compareLevels(a.level, b.level))
    .map(({ level, runs: of }) => {
      const values = of.flatMap(({ value }) => value ?? []);
      const [best] = sortRuns(of, 'metric', goal);
      return {
        level,
        n: values.length,
        mean: values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length,
        best: best && best.value !== null ? best : null,
        crashes: of.filter(({ experiment: { state } }) => state === 'crashed' || state === 'timed_out').length,
      };
    });
  return { groups, without };
}

function compareLevels(a: Literal | undefined, b: Literal | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return levelLabel(a).localeCompare(levelLabel(b), 'en', { numeric: true });
}
