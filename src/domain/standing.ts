import { type CampaignFile, compareMetric, type Goal } from './campaign.js';
import { type Experiment, metricOf } from './experiment.js';

/** How an experiment stands against the incumbent. */
export interface Standing {
  readonly experiment: Experiment;
  /** null: no result. */
  readonly value: number | null;
  /** value − incumbent's value, in the metric's unit; null without either, and for the incumbent itself. */
  readonly delta: number | null;
  /** Always null while there is no noise floor to judge by: one lower value is not a win. */
  readonly verdict: null;
}

type Scoring = Pick<CampaignFile, 'metric' | 'incumbent'>;

/** In the order given. `all` must hold the incumbent for a delta to be known. */
export function standings(
  chosen: readonly Experiment[],
  all: readonly Experiment[],
  { metric, incumbent }: Scoring,
): Standing[] {
  const reference = all.find(({ id }) => id === incumbent);
  const base = reference ? metricOf(reference, metric.name) : null;
  return chosen.map((experiment) => {
    const value = metricOf(experiment, metric.name);
    const delta = value === null || base === null || experiment.id === incumbent ? null : value - base;
    return { experiment, value, delta, verdict: null };
  });
}

/** Those with a result, the best first; the earlier of two that are equal. */
export const bestOf = (chosen: readonly Standing[], goal: Goal): Standing[] =>
  chosen.filter(({ value }) => value !== null).sort((a, b) => compareMetric(goal, a.value ?? 0, b.value ?? 0));

export const leaderboard = (all: readonly Experiment[], scoring: Scoring): Standing[] =>
  bestOf(standings(all, all, scoring), scoring.metric.goal);
