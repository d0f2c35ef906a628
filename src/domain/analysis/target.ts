import { compareMetric } from '../campaign.js';
import type { CampaignAnalysis, JudgedConfig } from './campaign-analysis.js';
import { bestEstimate } from './ranking.js';

/** A configuration that is taken to be as good as `limits.target`. */
export interface ReachedTarget {
  readonly target: number;
  readonly config: JudgedConfig;
  /** Its shrunk value where there is one: the lowest of many raw values is mostly luck. */
  readonly estimate: number;
}

/** The best configuration, if it has reached the target; null without a target, too. */
export function reachedTarget({ configs, metric }: CampaignAnalysis, target: number | null): ReachedTarget | null {
  if (target === null) return null;
  const [best] = [...configs.values()].sort((a, b) => compareMetric(metric.goal, bestEstimate(a), bestEstimate(b)));
  if (!best) return null;
  const estimate = bestEstimate(best);
  return compareMetric(metric.goal, estimate, target) <= 0 ? { target, config: best, estimate } : null;
}

/** One run may be luck: it is repeated before anybody stops for it. */
export function targetWords({ target, config, estimate }: ReachedTarget): string {
  const { n } = config.estimate;
  const found = `limits.target ${target} is reached: ${config.experiments[0]} is taken to score ${Number(estimate.toFixed(6))} (n=${n})`;
  return n > 1 ? `Stop, ${found}; keep it and report.` : `Nearly done, ${found}; run it again before you stop.`;
}
