import { compareMetric } from '../campaign.js';
import type { WaveId } from '../ids.js';
import type { WaveFile } from '../wave.js';
import { adjustedValues, type BlockedFit } from './adjusted-values.js';
import type { CampaignAnalysis, JudgedConfig } from './campaign-analysis.js';
import { type Judgement, judge, type Verdict } from './verdict.js';

/**
 * held_up: the fresh runs alone are a win. not_shown: a tie, the gain may be there or not. fell_back: a loss. open: a retest, few more runs
 * would say.
 */
export const OUTCOMES = ['held_up', 'not_shown', 'fell_back', 'open'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Repeated {
  readonly config: JudgedConfig;
  /** Against the incumbent by the runs before, which it was picked for: luck is part of it. In the metric's unit. */
  readonly before: number;
  /** Against the incumbent by the runs of this wave alone, which had no part in picking it. */
  readonly fresh: Judgement;
  readonly outcome: Outcome;
}

export interface Repetition {
  readonly waveId: WaveId;
  /** The best before first. */
  readonly rows: readonly Repeated[];
}

/**
 * What gains that were seen before came to in a wave that ran them again beside the incumbent, as a promotion does. Each half is fitted by
 * itself, so that the runs which made a configuration look good are no evidence for it.
 * @param earlier the waves before it
 * @returns null where the wave repeats no gain
 */
export function repetitionIn(
  analysis: CampaignAnalysis,
  file: WaveFile,
  earlier: readonly WaveFile[],
): Repetition | null {
  const { observations, incumbent, configs, noise, metric } = analysis;
  const ids = new Set<string>(earlier.flatMap(({ experiments }) => Object.keys(experiments)));
  // Most waves repeat the incumbent alone, and two fits of a long campaign take time.
  const isRepeated = [...configs.values()].some(
    (config) =>
      config !== incumbent &&
      config.experiments.some((id) => id in file.experiments) &&
      config.experiments.some((id) => ids.has(id)),
  );
  if (!isRepeated) return null;
  const before = adjustedValues(
    observations.filter(({ experimentId }) => ids.has(experimentId)),
    noise,
  );
  const fresh = adjustedValues(
    observations.filter(({ experimentId }) => experimentId in file.experiments),
    noise,
  );
  const [control, freshControl] = [before, fresh].map((fit) => estimateIn(fit, incumbent?.estimate.config));
  if (!control || !freshControl) return null;
  const rows = fresh.configs.flatMap((estimate): Repeated[] => {
    const [known, config] = [estimateIn(before, estimate.config), configs.get(estimate.config)];
    if (!known || !config || compareMetric(metric.goal, known.adjusted, control.adjusted) >= 0) return [];
    const judgement = judge(fresh, estimate, freshControl, metric.goal);
    const difference = known.adjusted - control.adjusted;
    return [{ config, before: difference, fresh: judgement, outcome: outcomeOf(judgement) }];
  });
  if (rows.length === 0) return null;
  return { waveId: file.wave.id, rows: rows.sort((a, b) => compareMetric(metric.goal, a.before, b.before)) };
}

const estimateIn = ({ configs }: BlockedFit, wanted: string | undefined) =>
  configs.find(({ config }) => config === wanted);

const OUTCOME_OF: Readonly<Record<Verdict, Outcome>> = {
  win: 'held_up',
  tie: 'not_shown',
  loss: 'fell_back',
  retest: 'open',
};

const outcomeOf = ({ verdict }: Judgement): Outcome => (verdict === null ? 'open' : OUTCOME_OF[verdict]);

/** In a sentence about a run. */
export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  held_up: 'held up',
  not_shown: 'was not confirmed',
  fell_back: 'fell back',
  open: 'is open',
};
