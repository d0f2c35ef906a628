import { type Experiment, metricOf } from '../experiment.js';
import type { Prices } from '../price.js';
import { experimentsOf, type WaveFile } from '../wave.js';
import { type CampaignAnalysis, configOf } from './campaign-analysis.js';
import { type CrashRow, crashMap } from './crash-map.js';
import { type FactorTrend, trendsOfConstants, trendsOfWave } from './factor-trends.js';
import { compareHardware, type HardwareReport } from './hardware.js';
import { type Repetition, repetitionIn } from './held-up.js';
import { type AliasedLevels, aliasedLevels } from './model-aliases.js';
import { type Phase, phasesOf } from './progress.js';
import { bestEstimate, type Ranking, rankConfigs } from './ranking.js';
import { keyOf } from './shape-constants.js';
import { type StoppingAdvice, stoppingAdvice } from './stopping.js';
import { type ReachedTarget, reachedTarget } from './target.js';
import { tiersOf } from './tier-reading.js';
import type { TierAgreement } from './tiers.js';
import { effectsOfWave, runsOfWave, type WaveEffects } from './wave-effects.js';
import { waveOutcomes } from './wave-outcomes.js';

export interface ResearchData {
  readonly analysis: CampaignAnalysis;
  /** The oldest first. */
  readonly waves: readonly WaveFile[];
  readonly tiers: Readonly<Record<string, readonly string[]>>;
  readonly prices: Prices;
  readonly now: number;
  /** The smallest gain worth having, δ_min; 0: any that can be seen. */
  readonly leastGain: number;
  /** Value of the metric at which the campaign is done; null: none was set. */
  readonly target: number | null;
}

export interface ReportScope {
  /** null: the whole campaign. */
  readonly wave: WaveFile | null;
  /** Constants to look at; null: all. */
  readonly factors: readonly string[] | null;
}

/** What a campaign has shown. Noise, machines, tiers, phases and stopping are the campaign's, whatever the scope. */
export interface ResearchReport {
  readonly analysis: CampaignAnalysis;
  /** In the scope. */
  readonly experiments: number;
  readonly results: number;
  readonly ranking: Ranking;
  /** Of the wave, or of the latest design; null where there is none. */
  readonly effects: WaveEffects | null;
  readonly trends: readonly FactorTrend[];
  readonly aliases: readonly AliasedLevels[];
  readonly hardware: HardwareReport | null;
  readonly tiers: TierAgreement | null;
  /** What the gains that the wave, or the latest, ran again came to; null where it repeats none. */
  readonly repetition: Repetition | null;
  /** Levels at which runs crashed, the most crashes first. */
  readonly crashes: readonly CrashRow[];
  readonly phases: readonly Phase[];
  /** null without a noise floor and a δ_min: nothing says what gain would matter. */
  readonly stopping: StoppingAdvice | null;
  /** null: not reached, or there is none. */
  readonly target: ReachedTarget | null;
}

/** A table of five rows shows how the gain falls. */
const MOST_PHASES = 5;

export function researchReport(data: ResearchData, scope: ReportScope): ResearchReport {
  const { analysis, waves, prices, now, leastGain } = data;
  const all = waves.flatMap(experimentsOf);
  const chosen = scope.wave ? experimentsOf(scope.wave) : all;
  const outcomes = waveOutcomes(analysis, waves, prices, now);
  const baseline = all.find(({ isBaseline }) => isBaseline);
  const first = baseline && analysis.configs.get(configOf(baseline));
  const start = { goal: analysis.metric.goal, baseline: first ? bestEstimate(first) : null };
  const { noise } = analysis;
  return {
    analysis,
    experiments: chosen.length,
    results: chosen.filter((run) => metricOf(run, analysis.metric.name) !== null).length,
    ranking: rankConfigs(analysis, scope.wave && new Set(chosen.map(configOf))),
    effects: latestEffects(analysis, scope.wave ? [scope.wave] : waves, scope.factors),
    trends: trendsIn(analysis, chosen, scope),
    aliases: aliasesIn(all, constantsOf(chosen, scope.factors)),
    hardware: hardwareOf(analysis, all),
    tiers: tiersOf(analysis, waves, data.tiers),
    repetition: latestRepetition(analysis, waves, scope.wave),
    crashes: crashMap(chosen)
      .filter(({ crashed, setting }) => crashed > 0 && isWanted(setting, scope.factors))
      .sort((a, b) => b.crashed - a.crashed || a.ran - b.ran),
    phases: phasesOf(outcomes, Math.max(1, Math.ceil(outcomes.length / MOST_PHASES)), start),
    stopping:
      noise === null && leastGain === 0
        ? null
        : stoppingAdvice(outcomes, { ...start, leastGain, noiseSd: noise?.sd ?? null }),
    target: reachedTarget(analysis, data.target),
  };
}

const isWanted = (name: string, factors: readonly string[] | null): boolean =>
  factors === null || factors.includes(name);

function latestEffects(
  analysis: CampaignAnalysis,
  waves: readonly WaveFile[],
  factors: readonly string[] | null,
): WaveEffects | null {
  for (const file of [...waves].reverse()) {
    if (factors !== null && !factors.some((name) => name in file.wave.factors)) continue;
    const effects = effectsOfWave(analysis, file);
    if (effects !== null) return effects;
  }
  return null;
}

function latestRepetition(
  analysis: CampaignAnalysis,
  waves: readonly WaveFile[],
  wanted: WaveFile | null,
): Repetition | null {
  const file = wanted ?? waves.findLast((one) => runsOfWave(analysis, one).length > 0);
  return file ? repetitionIn(analysis, file, waves.slice(0, waves.indexOf(file))) : null;
}

function trendsIn(analysis: CampaignAnalysis, chosen: readonly Experiment[], { wave, factors }: ReportScope) {
  if (wave && wave.wave.kind !== 'list') {
    return trendsOfWave(analysis, wave).filter(({ factor }) => isWanted(factor, factors));
  }
  return trendsOfConstants(analysis, chosen, constantsOf(chosen, factors));
}

/** Overridden constants that are wanted. */
const constantsOf = (experiments: readonly Experiment[], factors: readonly string[] | null): string[] =>
  [...new Set(experiments.flatMap(({ overrides }) => Object.keys(overrides)))].filter((name) =>
    isWanted(name, factors),
  );

function aliasesIn(all: readonly Experiment[], constants: readonly string[]): AliasedLevels[] {
  const printed = new Map<string, Experiment>();
  for (const run of all) {
    const key = JSON.stringify([configOf(run), run.modelConfig]);
    if (run.modelConfig !== null && !printed.has(key)) printed.set(key, run);
  }
  const runs = [...printed.values()];
  return constants.flatMap((name) => aliasedLevels(name, familiesOf(name, runs)));
}

/** Those that differ from another in this constant alone: aliases are known from no others, and each costs a comparison with all. */
function familiesOf(constant: string, runs: readonly Experiment[]): Experiment[] {
  const families = new Map<string, Experiment[]>();
  for (const run of runs) {
    const key = keyOf(run, [constant]);
    const family = families.get(key);
    if (family) family.push(run);
    else families.set(key, [run]);
  }
  return [...families.values()].flatMap((family) => (family.length > 1 ? family : []));
}

function hardwareOf({ observations, noise }: CampaignAnalysis, all: readonly Experiment[]): HardwareReport | null {
  const byId = new Map<string, Experiment>(all.map((run) => [run.id, run]));
  const runs = observations.flatMap(({ experimentId, accelerators, config, value, numSteps }) => {
    const run = byId.get(experimentId);
    if (accelerators === null || !run) return [];
    const trainingSeconds = metricOf(run, 'training_seconds');
    return [{ accelerator: accelerators, config, value, steps: numSteps, trainingSeconds }];
  });
  return compareHardware(runs, noise && { sd: noise.sd, df: noise.effectiveDf });
}
