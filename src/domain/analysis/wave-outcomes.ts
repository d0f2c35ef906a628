import { compareMetric } from '../campaign.js';
import { experimentCost } from '../cost.js';
import { isSettled } from '../experiment.js';
import type { Prices } from '../price.js';
import { experimentsOf, type WaveFile } from '../wave.js';
import { type CampaignAnalysis, configOf } from './campaign-analysis.js';
import type { WaveOutcome } from './progress.js';
import { bestEstimate } from './ranking.js';

/**
 * What each wave came to, by the shrunk or adjusted values of the configurations that were new in it. Waves without a new one
 * (replicates, a promotion) are no search: what they cost counts to the wave before. Waves still under way are left out.
 */
export function waveOutcomes(
  { configs, metric }: CampaignAnalysis,
  waves: readonly WaveFile[],
  prices: Prices,
  now: number,
): WaveOutcome[] {
  const seen = new Set<string>();
  const outcomes: WaveOutcome[] = [];
  for (const file of waves) {
    const runs = experimentsOf(file).filter(({ imported }) => !imported);
    const fresh = [...new Set(runs.map(configOf))].filter((config) => !seen.has(config));
    for (const config of fresh) seen.add(config);
    if (runs.length === 0 || !runs.every(({ state }) => isSettled(state))) continue;
    const costs = runs.flatMap((run) => (run.startedAt === null ? [] : [experimentCost(run, prices, now)]));
    const costUsd = costs.reduce<number | null>((sum, cost) => (sum === null || cost === null ? null : sum + cost), 0);
    const before = outcomes.at(-1);
    if (fresh.length === 0 && before) {
      outcomes[outcomes.length - 1] = {
        ...before,
        experiments: before.experiments + runs.length,
        costUsd: before.costUsd === null || costUsd === null ? null : before.costUsd + costUsd,
      };
      continue;
    }
    const values = fresh.flatMap((config) => {
      const known = configs.get(config);
      return known ? [bestEstimate(known)] : [];
    });
    const [best = null] = values.sort((a, b) => compareMetric(metric.goal, a, b));
    outcomes.push({ name: file.wave.id, experiments: runs.length, best, costUsd });
  }
  return outcomes;
}
