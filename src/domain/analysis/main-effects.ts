import type { Literal } from '../experiment.js';

export interface Observation {
  readonly levels: Readonly<Record<string, Literal>>;
  readonly value: number;
}

export interface LevelMean {
  readonly level: string;
  readonly mean: number;
  readonly n: number;
}

export interface MainEffect {
  readonly factor: string;
  /** Numbers from low to high, words in the order in which they were met: runs come in any order. */
  readonly levels: readonly LevelMean[];
  /** Largest less smallest mean, in the metric's unit. Says nothing of noise. */
  readonly range: number;
}

/** How a level is written, in tables and keys. */
export const levelLabel = (level: Literal): string => (typeof level === 'string' ? level : JSON.stringify(level));

/** Mean of the observations at each level of each factor, the factor with the largest range first. */
export function mainEffects(observations: readonly Observation[]): MainEffect[] {
  const factors = [...new Set(observations.flatMap(({ levels }) => Object.keys(levels)))];
  return factors
    .map((factor) => {
      const levels = levelMeans(observations, factor);
      const means = levels.map(({ mean }) => mean);
      return { factor, levels, range: Math.max(...means) - Math.min(...means) };
    })
    .sort((a, b) => b.range - a.range);
}

function levelMeans(observations: readonly Observation[], factor: string): LevelMean[] {
  const values = new Map<string, number[]>();
  for (const { levels, value } of observations) {
    const level = levels[factor];
    if (level !== undefined) values.set(levelLabel(level), [...(values.get(levelLabel(level)) ?? []), value]);
  }
  const means = [...values].map(([level, at]) => ({
    level,
    mean: at.reduce((sum, v) => sum + v, 0) / at.length,
    n: at.length,
  }));
  const isNumeric = means.every(({ level }) => Number.isFinite(Number(level)));
  return isNumeric ? means.sort((a, b) => Number(a.level) - Number(b.level)) : means;
}
