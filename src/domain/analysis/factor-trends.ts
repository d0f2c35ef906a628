import type { Experiment, Literal } from '../experiment.js';
import type { WaveFile } from '../wave.js';
import type { CampaignAnalysis } from './campaign-analysis.js';
import type { BlockedObservation } from './observations.js';
import { readingOf } from './reading.js';
import { keyOf } from './shape-constants.js';
import { type Trend, trendOver } from './trends.js';
import { runsOfWave } from './wave-effects.js';

export interface FactorTrend extends Trend {
  readonly factor: string;
  readonly scale: 'linear' | 'log';
  readonly n: number;
}

/** Two levels are an effect; a trend begins with three. */
const LEAST_LEVELS = 3;

interface LevelledRun {
  readonly run: BlockedObservation;
  readonly level: number;
}

/** What the metric does over each factor of a wave's design that has three numeric levels or more. */
export function trendsOfWave(analysis: CampaignAnalysis, file: WaveFile): FactorTrend[] {
  const runs = runsOfWave(analysis, file);
  const factors = Object.keys(file.wave.factors);
  // In a hypercube no two runs share the other factors: their spread is part of what a level scatters by.
  const isCrossed = file.wave.kind !== 'latin_hypercube' || factors.length === 1;
  return factors.flatMap((factor) => {
    const levelled = runs.flatMap((run) => atLevel(run, run.levels[factor]));
    return trendOf(analysis, factor, levelled, isCrossed) ?? [];
  });
}

/**
 * What it does over each of these constants where nothing else was changed: the largest set of runs that differ in that one
 * alone, in whatever waves they ran. The one with the most runs first.
 */
export function trendsOfConstants(
  analysis: CampaignAnalysis,
  experiments: readonly Experiment[],
  constants: readonly string[],
): FactorTrend[] {
  const byId = new Map(analysis.observations.map((run) => [run.experimentId, run]));
  const trends = constants.flatMap((constant) => {
    const families = new Map<string, LevelledRun[]>();
    for (const experiment of experiments) {
      const run = byId.get(experiment.id);
      const [levelled] = run ? atLevel(run, experiment.overrides[constant]) : [];
      if (!levelled || experiment.workdir !== null) continue;
      const key = keyOf(experiment, [constant]);
      const family = families.get(key);
      if (family) family.push(levelled);
      else families.set(key, [levelled]);
    }
    const [largest = []] = [...families.values()].sort((a, b) => levelsIn(b) - levelsIn(a) || b.length - a.length);
    return trendOf(analysis, constant, largest, true) ?? [];
  });
  return trends.sort((a, b) => b.n - a.n);
}

const levelsIn = (runs: readonly LevelledRun[]): number => new Set(runs.map(({ level }) => level)).size;

function trendOf(
  analysis: CampaignAnalysis,
  factor: string,
  runs: readonly LevelledRun[],
  mayUseFloor: boolean,
): FactorTrend | null {
  if (levelsIn(runs) < LEAST_LEVELS) return null;
  const { comparable, noise } = readingOf(
    analysis,
    runs.map(({ run }) => run),
  );
  const scale = scaleOf([...new Set(runs.map(({ level }) => level))]);
  const trend = trendOver(
    runs.map(({ run, level }) => ({ level, value: comparable(run) })),
    { goal: analysis.metric.goal, scale, noise: mayUseFloor ? noise : null },
  );
  return trend && { factor, scale, n: runs.length, ...trend };
}

/** A number, or a power written as one, `2**18`; nothing for what has no order. */
function atLevel(run: BlockedObservation, level: Literal | undefined): LevelledRun[] {
  if (typeof level === 'number') return [{ run, level }];
  const [, base, exponent] = (typeof level === 'string' && /^(\d+)\s*\*\*\s*(\d+)$/.exec(level)) || [];
  return base === undefined ? [] : [{ run, level: Number(base) ** Number(exponent) }];
}

/** log where the levels are more evenly spaced so: 0.01, 0.03, 0.1; 2**17, 2**18, 2**19. */
function scaleOf(levels: readonly number[]): 'linear' | 'log' {
  if (levels.some((level) => level <= 0)) return 'linear';
  return unevenness(levels.map(Math.log)) < unevenness(levels) ? 'log' : 'linear';
}

/** Largest gap over the smallest. */
function unevenness(levels: readonly number[]): number {
  const sorted = [...levels].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((level, at) => level - (sorted[at] ?? 0));
  return Math.max(...gaps) / Math.min(...gaps);
}
