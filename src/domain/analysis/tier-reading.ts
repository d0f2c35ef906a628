import type { WaveFile } from '../wave.js';
import type { CampaignAnalysis } from './campaign-analysis.js';
import { readingOf } from './reading.js';
import { type TierAgreement, type TierRun, tierAgreement } from './tiers.js';

type Tiers = Readonly<Record<string, readonly string[]>>;

/** More configurations than anybody promotes; of more, the latest are taken. */
const MOST_CONFIGS = 40;

/** The tier whose accelerators the wave asked for; null: none, or what no tier names. */
export function tierOf(tiers: Tiers, { wave: { accelerators } }: WaveFile): string | null {
  const wanted = [...accelerators].sort().join();
  const found = Object.entries(tiers).find(([, list]) => wanted !== '' && [...list].sort().join() === wanted);
  return found?.[0] ?? null;
}

/** How far two tiers agree on the configurations that ran in both; null where fewer than two did. Of three tiers, the two that share most. */
export function tiersOf(analysis: CampaignAnalysis, waves: readonly WaveFile[], tiers: Tiers): TierAgreement | null {
  const tierOfRun = new Map<string, string>();
  for (const file of waves) {
    const tier = tierOf(tiers, file);
    if (tier !== null) for (const id of Object.keys(file.experiments)) tierOfRun.set(id, tier);
  }
  const runs = analysis.observations.filter(({ experimentId }) => tierOfRun.has(experimentId));
  if (runs.length === 0) return null;
  const tiersOfConfig = new Map<string, Set<string>>();
  for (const { config, experimentId } of runs) {
    const found = tiersOfConfig.get(config) ?? new Set();
    tiersOfConfig.set(config, found.add(tierOfRun.get(experimentId) ?? ''));
  }
  const names = Object.keys(tiers);
  const pairs = names.flatMap((one, at) => names.slice(at + 1).map((other) => [one, other] as const));
  const shared = pairs
    .map((pair) => ({
      pair,
      configs: [...tiersOfConfig].filter(([, in_]) => pair.every((tier) => in_.has(tier))).map(([config]) => config),
    }))
    .sort((a, b) => b.configs.length - a.configs.length)[0];
  if (!shared || shared.configs.length < 2) return null;
  const wanted = new Set(shared.configs.slice(-MOST_CONFIGS));
  const used = runs.filter(({ config }) => wanted.has(config));
  const { comparable, noise } = readingOf(analysis, used);
  const tierRuns = used.map((run): TierRun => {
    return { config: run.config, tier: tierOfRun.get(run.experimentId) ?? '', value: comparable(run) };
  });
  return tierAgreement(tierRuns, shared.pair, noise);
}
