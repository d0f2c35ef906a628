import { compareMetric, type Metric } from './campaign.js';

/**
 * @param best the campaign's best value, in the metric's unit; null: none yet
 * @param target limits.target; null: there is none, so it is never reached
 */
export const isTargetReached = (best: number | null, { goal }: Metric, target: number | null): boolean =>
  best !== null && target !== null && compareMetric(goal, best, target) <= 0;
