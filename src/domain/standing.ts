import { configOf } from './analysis/campaign-analysis.js';
import type { Judgement, Verdict } from './analysis/verdict.js';
import { type CampaignFile, compareMetric, type Goal } from './campaign.js';
import { type Experiment, metricOf } from './experiment.js';

/** How an experiment stands against the incumbent. */
export interface Standing {
  readonly experiment: Experiment;
  /** null: no result. */
  readonly value: number | null;
  /** value − incumbent's value, in the metric's unit; null without either, and for the incumbent itself. */
  readonly delta: number | null;
  /** On its configuration; null while there is no noise floor to judge by: one lower value is not a win. */
  readonly verdict: Verdict | null;
  /** P that its configuration is truly better, and the degrees of freedom behind it; null where nothing can be compared. */
  readonly pBetter: number | null;
  readonly df: number | null;
  /** Runs of its configuration that the verdict rests on; null without one. */
  readonly n: number | null;
  /** One more run of the incumbent's configuration: what it differs by is noise, whatever its value. */
  readonly isControl: boolean;
}

type Scoring = Pick<CampaignFile, 'metric' | 'incumbent'>;

/** By experiment; empty while nothing is judged. */
export type Judgements = ReadonlyMap<string, Judgement>;
const UNJUDGED: Judgements = new Map();

const NO_VERDICT = { verdict: null, pBetter: null, df: null, n: null } as const;
export const withoutResult = (experiment: Experiment): Standing => ({
  experiment,
  value: null,
  delta: null,
  isControl: false,
  ...NO_VERDICT,
});

/** In the order given. `all` must hold the incumbent for a delta to be known. */
export function standings(
  chosen: readonly Experiment[],
  all: readonly Experiment[],
  { metric, incumbent }: Scoring,
  judgements: Judgements = UNJUDGED,
): Standing[] {
  const reference = all.find(({ id }) => id === incumbent);
  const base = reference ? metricOf(reference, metric.name) : null;
  return chosen.map((experiment) => {
    const value = metricOf(experiment, metric.name);
    if (value === null) return withoutResult(experiment);
    const delta = base === null || experiment.id === incumbent ? null : value - base;
    const isControl =
      reference !== undefined && experiment.id !== reference.id && configOf(experiment) === configOf(reference);
    const judged = judgements.get(experiment.id);
    if (!judged || judged.verdict === null) return { experiment, value, delta, isControl, ...NO_VERDICT };
    const { verdict, pBetter, df, n } = judged;
    return { experiment, value, delta, isControl, verdict, pBetter, df, n };
  });
}

/** Those with a result, the best first; the earlier of two that are equal. */
export const bestOf = (chosen: readonly Standing[], goal: Goal): Standing[] =>
  chosen.filter(({ value }) => value !== null).sort((a, b) => compareMetric(goal, a.value ?? 0, b.value ?? 0));

export const leaderboard = (
  all: readonly Experiment[],
  scoring: Scoring,
  judgements: Judgements = UNJUDGED,
): Standing[] => bestOf(standings(all, all, scoring, judgements), scoring.metric.goal);

/** `P=0.99 win (n=2, df=6)`; null without a verdict. Without a P nothing connects it with the incumbent. */
export function verdictWords({
  verdict,
  pBetter,
  n,
  df,
}: Pick<Standing, 'verdict' | 'pBetter' | 'n' | 'df'>): string | null {
  if (verdict === null) return null;
  if (pBetter === null) return `${verdict} (n=${n ?? 0}, on no machine in common with the incumbent)`;
  return `${probability(pBetter)} ${verdict} (n=${n ?? 0}, df=${Math.round(df ?? 0)})`;
}

/** `P=0.97`; never 0 or 1, which no data shows. */
export const probability = (p: number): string => (p > 0.995 ? 'P>0.99' : p < 0.005 ? 'P<0.01' : `P=${p.toFixed(2)}`);
