import type { Effect } from '../domain/analysis/effects.js';
import type { FactorTrend } from '../domain/analysis/factor-trends.js';
import type { Repetition } from '../domain/analysis/held-up.js';
import { doubtOfNoise } from '../domain/analysis/noise-floor.js';
import type { RankedConfig } from '../domain/analysis/ranking.js';
import type { ReachedTarget } from '../domain/analysis/target.js';
import type { WaveEffects } from '../domain/analysis/wave-effects.js';
import type { AnalysedResults } from '../lab/analyse-results.js';
import { believed, cents, rounded, significant } from './words.js';

/** Rows of each list; what is cut is counted. */
export const MOST_RANKED = 5;
const [MOST_EFFECTS, MOST_TRENDS, MOST_LEVELS, MOST_OTHERS] = [16, 4, 16, 8];

/** What is null is left out. */
function present<Row extends Record<string, unknown>>(row: Row): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

const short = (value: number | null): number | null => (value === null ? null : significant(value));

/** The first of `rows`, and under `more` how many there are besides. */
const cut = <Row>(rows: readonly Row[], most: number) => ({
  rows: rows.slice(0, most),
  ...(rows.length > most ? { more: rows.length - most } : {}),
});

/** Everything that an analysis found, in words of the wire; lists are cut and counted, so it is bounded whatever was run. */
export function analysisRows(found: AnalysedResults) {
  const { analysis, ranking, effects, trends, aliases, hardware, crashes, phases } = found;
  const { noise, fit } = analysis;
  const row = rankedRow(found);
  return {
    results: found.results,
    experiments: found.experiments,
    noise: noise && {
      ...present({ sd: significant(noise.sd), prior: short(noise.prior) }),
      df: noise.df,
      effective_df: noise.effectiveDf,
      ...present({ interval_95: doubtOfNoise(noise)?.map((sd) => significant(sd)) ?? null }),
    },
    machines: present({
      blocks: fit.blocks.length,
      unconnected_groups: fit.components > 1 ? fit.components : null,
      offsets: fit.method,
      sd_between: fit.blockVariance ? significant(Math.sqrt(fit.blockVariance.variance)) : null,
    }),
    ...(analysis.incumbent ? { incumbent: incumbentRow(found) } : {}),
    ranking: ranking.configs.slice(0, MOST_RANKED).map(row),
    candidates: ranking.configs.length,
    verdicts: ranking.verdicts,
    retest: retests(found),
    selection: present({
      luck: short(ranking.luck?.adjusted ?? null),
      luck_raw: short(ranking.luck?.raw ?? null),
      real_at_fdr_10: ranking.discoveries,
    }),
    simpler_ties: found.simplerTies.map(({ config, lines }) => ({
      experiment_id: config.experiments[0] ?? '',
      ...lines,
    })),
    ...(effects ? { effects: effectsRow(effects) } : {}),
    ...(trends.length > 0 ? { trends: cut(trends.map(trendRow), MOST_TRENDS) } : {}),
    ...(aliases.length > 0
      ? {
          aliases: cut(
            aliases.map(({ constant, levels }) => ({ constant, levels: levels.slice(0, MOST_LEVELS) })),
            MOST_OTHERS,
          ),
        }
      : {}),
    ...(hardware ? { hardware: cut(hardware.rows.map(hardwareRow), MOST_OTHERS) } : {}),
    ...(found.tiers ? { tiers: tiersRow(found) } : {}),
    ...(found.repetition ? { repetition: repetitionRow(found.repetition) } : {}),
    ...(crashes.length > 0 ? { crashes: cut(crashes, MOST_OTHERS) } : {}),
    ...(phases.length > 0 ? { phases: phases.map(phaseRow) } : {}),
    ...(found.stopping
      ? {
          stopping: present({
            expected_gain: short(found.stopping.expectedGain),
            threshold: short(found.stopping.threshold),
            waves_below: found.stopping.wavesBelow,
            usd_per_thousandth:
              found.stopping.usdPerThousandth === null ? null : cents(found.stopping.usdPerThousandth),
            stop: found.stopping.shouldStop,
          }),
        }
      : {}),
    ...(found.target ? { target: targetRow(found.target) } : {}),
  };
}

function incumbentRow({ analysis: { incumbent }, campaign }: AnalysedResults) {
  if (!incumbent) return {};
  const { rawMean, adjusted, n } = incumbent.estimate;
  return { experiment_id: campaign.incumbent ?? '', raw: rounded(rawMean), adjusted: rounded(adjusted), n };
}

const rankedRow = (found: AnalysedResults) => (config: RankedConfig) => {
  const { estimate, shrunk, judgement, discovery, experiments } = config;
  return present({
    experiment_id: experiments[0] ?? '',
    description: found.experimentOf(config)?.description ?? '',
    raw: rounded(estimate.rawMean),
    adjusted: rounded(estimate.adjusted),
    shrunk: shrunk === null ? null : rounded(shrunk),
    difference: judgement && rounded(judgement.difference),
    p_better: judgement?.pBetter == null ? null : believed(judgement.pBetter),
    verdict: judgement?.verdict ?? null,
    n: estimate.n,
    df: judgement?.df == null ? null : Math.round(judgement.df),
    replicates: judgement?.replicates ?? null,
    fdr_p: discovery && short(discovery.adjustedP),
  });
};

/** The likeliest gains first. */
function retests({ ranking }: AnalysedResults) {
  const wanted = ranking.configs
    .filter(({ judgement }) => judgement?.verdict === 'retest')
    .sort((a, b) => (b.judgement?.pBetter ?? 0) - (a.judgement?.pBetter ?? 0));
  return wanted.slice(0, MOST_RANKED).map(({ experiments, judgement }) => ({
    experiment_id: experiments[0] ?? '',
    replicates: judgement?.replicates ?? 0,
  }));
}

/** What stands out most from its own error first: of two as large one may be confounded with machines. Without errors the largest. */
export const bySurety = (effects: readonly Effect[]): Effect[] => {
  const strength = ({ estimate, se }: Effect) => Math.abs(estimate) / (se ?? 1);
  return [...effects].sort((a, b) => strength(b) - strength(a));
};

/** With Lenth's margin of error as the interval where there is nothing else; the surest first. */
function effectsRow({ waveId, effects, lost, noise, lenth, machines, n }: WaveEffects) {
  const margin = lenth?.marginOfError ?? null;
  const byTest = lenth === null ? noise && (noise.source === 'given' ? 'noise_floor' : 'residual') : 'lenth';
  const sorted = bySurety(effects);
  return {
    ...present({ wave_id: waveId, n, errors_from: byTest, machines }),
    ...cut(
      sorted.map((effect) => effectRow(effect, margin)),
      MOST_EFFECTS,
    ),
    ...(lost.length > 0 ? { cannot_be_told: lost.slice(0, MOST_OTHERS) } : {}),
  };
}

export function intervalOf({ interval, estimate }: Effect, margin: number | null): readonly [number, number] | null {
  return interval ?? (margin === null ? null : [estimate - margin, estimate + margin]);
}

const effectRow = (effect: Effect, margin: number | null) =>
  present({
    name: effect.name,
    estimate: significant(effect.estimate),
    interval: intervalOf(effect, margin)?.map((end) => significant(end)) ?? null,
    p: short(effect.p),
    aliases: effect.aliases.length > 0 ? effect.aliases.slice(0, 3) : null,
  });

const trendRow = ({ factor, shape, best, turnsAt, scale, n, levels, advice }: FactorTrend) => ({
  ...present({ factor, shape, best, turns_at: short(turnsAt), scale, n, advice }),
  levels: cut(
    levels.map(({ level, mean, n: runs }) => [level, rounded(mean), runs]),
    MOST_LEVELS,
  ).rows,
});

type HardwareRow = NonNullable<AnalysedResults['hardware']>['rows'][number];
const hardwareRow = ({ accelerator, n, steps, stepMilliseconds, offset, offsetSe }: HardwareRow) =>
  present({
    accelerator,
    n,
    steps: steps === null ? null : Math.round(steps),
    step_ms: short(stepMilliseconds),
    offset: offset === null ? null : rounded(offset),
    offset_se: short(offsetSe),
  });

const targetRow = ({ target, config, estimate }: ReachedTarget) => ({
  target,
  reached_by: config.experiments[0] ?? '',
  estimate: rounded(estimate),
  n: config.estimate.n,
});

function tiersRow({ tiers, analysis }: AnalysedResults) {
  if (!tiers) return {};
  const idOf = (config: string) => analysis.configs.get(config)?.experiments[0] ?? config;
  const inversions = tiers.reversals.filter(({ isInversion }) => isInversion);
  return {
    ...present({
      compared: tiers.tiers.join(' and '),
      configs: tiers.configs,
      spearman: short(tiers.spearman?.rho ?? null),
      kendall: short(tiers.kendall),
      interaction_p: short(tiers.interaction?.p ?? null),
      reversed: tiers.reversals.length,
    }),
    inversions: inversions.slice(0, MOST_OTHERS).map(({ configs }) => configs.map(idOf)),
  };
}

const repetitionRow = ({ waveId, rows }: Repetition) => ({
  wave_id: waveId,
  ...cut(
    rows.map(({ config, before, fresh, outcome }) =>
      present({
        experiment_id: config.experiments[0] ?? '',
        outcome,
        before: rounded(before),
        now: rounded(fresh.difference),
        n: fresh.n,
        p_better: fresh.pBetter === null ? null : believed(fresh.pBetter),
      }),
    ),
    MOST_OTHERS,
  ),
});

type Phase = AnalysedResults['phases'][number];
const phaseRow = ({ from, to, experiments, best, gain, gainPerExperiment, gainPerUsd }: Phase) =>
  present({
    waves: from === to ? from : `${from}…${to}`,
    experiments,
    best: best === null ? null : rounded(best),
    gain: gain === null ? null : rounded(gain),
    gain_per_experiment: short(gainPerExperiment),
    gain_per_usd: short(gainPerUsd),
  });
