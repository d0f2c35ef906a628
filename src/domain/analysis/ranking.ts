import { compareMetric } from '../campaign.js';
import type { CampaignAnalysis, JudgedConfig } from './campaign-analysis.js';
import { type Discovery, expectedLuck, falseDiscoveries } from './selection.js';
import { VERDICTS, type Verdict } from './verdict.js';

export interface RankedConfig extends JudgedConfig {
  /** Benjamini & Hochberg's over all candidates; null without a P. */
  readonly discovery: Discovery | null;
}

export interface Ranking {
  /** All but the incumbent, the best first: by the shrunk value, which is one for all where they differ by noise alone, then the adjusted. */
  readonly configs: readonly RankedConfig[];
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Those whose gain would stay real at a false discovery rate of 10 %; null without a P. */
  readonly discoveries: number | null;
  /** By how much the best of as many candidates without any effect would look better; null without a noise floor. */
  readonly luck: {
    /** With the machines taken out, σ_w. */
    readonly adjusted: number;
    /** As printed, √(σ_w² + σ_b²); null where σ_b² is not known. */
    readonly raw: number | null;
  } | null;
}

/** Candidates against the incumbent. @param chosen configurations; null: all of the campaign */
export function rankConfigs(analysis: CampaignAnalysis, chosen: ReadonlySet<string> | null): Ranking {
  const { configs, incumbent, metric, noise, fit } = analysis;
  const candidates = [...configs.values()].filter(
    (one) => one !== incumbent && (chosen === null || chosen.has(one.estimate.config)),
  );
  const tested = candidates.filter(({ judgement }) => judgement !== null && judgement.pBetter !== null);
  const found = falseDiscoveries(tested.map(({ judgement }) => 1 - (judgement?.pBetter ?? 0)));
  const discoveries = new Map(tested.map((one, at) => [one, found[at] ?? null]));
  const verdicts = Object.fromEntries(VERDICTS.map((word) => [word, 0]));
  for (const { judgement } of candidates) {
    if (judgement?.verdict) verdicts[judgement.verdict] = (verdicts[judgement.verdict] ?? 0) + 1;
  }
  const { win = 0, tie = 0, loss = 0, retest = 0 } = verdicts;
  const between = fit.blockVariance;
  return {
    configs: candidates
      .map((one) => ({ ...one, discovery: discoveries.get(one) ?? null }))
      .sort(
        (a, b) =>
          compareMetric(metric.goal, bestEstimate(a), bestEstimate(b)) ||
          compareMetric(metric.goal, a.estimate.adjusted, b.estimate.adjusted),
      ),
    verdicts: { win, tie, loss, retest },
    discoveries: tested.length === 0 ? null : found.filter(({ isReal }) => isReal).length,
    luck:
      noise === null || candidates.length < 2
        ? null
        : {
            adjusted: expectedLuck(noise.sd, candidates.length),
            raw: between && expectedLuck(Math.sqrt(noise.sd ** 2 + between.variance), candidates.length),
          },
  };
}

/** What a configuration is best taken to score: shrunk where errors are known, else adjusted. */
export const bestEstimate = ({ shrunk, estimate }: JudgedConfig): number => shrunk ?? estimate.adjusted;
