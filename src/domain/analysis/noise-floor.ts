import { chiSquareQuantile } from './distributions.js';
import type { BlockedObservation } from './observations.js';

/** Below as many degrees of freedom the floor leans on the prior, which counts for as many (ν₀). */
export const PRIOR_DF = 6;

/** How far two runs of the same configuration on the same machine lie apart. */
export interface NoiseFloor {
  /** σ_w, in the metric's unit. */
  readonly sd: number;
  /** From this campaign's replicates alone. */
  readonly df: number;
  /** With what the prior counts for; what t is read with. */
  readonly effectiveDf: number;
  /** σ₀ where it was used. */
  readonly prior: number | null;
}

type Replicate = Pick<BlockedObservation, 'config' | 'block' | 'value'>;

/**
 * Pooled SD within configuration × block: s² = Σ(y − ȳ_ch)² / ν, ν = Σ(n_ch − 1). With ν < 6 and a prior SD σ₀ it is
 * (ν s² + ν₀ σ₀²) / (ν + ν₀), ν₀ = 6: the posterior under a scaled inverse χ² (Gelman et al., Bayesian Data Analysis, §2.6).
 * The spread of different configurations, or of different machines, is never part of it. null without replicates and prior;
 * also when all replicates are equal to the last digit, which a script with fixed seeds does: t has no scale then.
 */
export function noiseFloor(observations: readonly Replicate[], priorSd: number | null): NoiseFloor | null {
  const { sumOfSquares, df } = withinCells(observations);
  const prior = df < PRIOR_DF ? priorSd : null;
  const effectiveDf = prior === null ? df : df + PRIOR_DF;
  if (effectiveDf === 0) return null;
  const variance = (sumOfSquares + (prior === null ? 0 : PRIOR_DF * prior ** 2)) / effectiveDf;
  return variance > 0 ? { sd: Math.sqrt(variance), df, effectiveDf, prior } : null;
}

/** From so many on, the true SD is within half of the floor, and nobody needs to be told. */
const WELL_KNOWN_DF = 16;

/**
 * 95 % interval of σ_w: s √(ν / χ²_ν) at the 0.975 and 0.025 quantiles, ν the degrees of freedom with the prior's. null where they are
 * many: with 3 it reaches from half of the floor to four times it.
 */
export function doubtOfNoise({ sd, effectiveDf }: NoiseFloor): readonly [number, number] | null {
  if (effectiveDf >= WELL_KNOWN_DF) return null;
  const end = (p: number) => sd * Math.sqrt(effectiveDf / chiSquareQuantile(p, effectiveDf));
  return [end(0.975), end(0.025)];
}

function withinCells(observations: readonly Replicate[]): { sumOfSquares: number; df: number } {
  const cells = new Map<string, number[]>();
  for (const { config, block, value } of observations) {
    const cell = JSON.stringify([config, block]);
    const values = cells.get(cell);
    if (values) values.push(value);
    else cells.set(cell, [value]);
  }
  let [sumOfSquares, df] = [0, 0];
  for (const values of cells.values()) {
    // From the first on, so that equal values give exactly 0 and not the last digit's rounding.
    const [first = 0] = values;
    const mean = values.reduce((sum, value) => sum + (value - first), 0) / values.length;
    sumOfSquares += values.reduce((sum, value) => sum + (value - first - mean) ** 2, 0);
    df += values.length - 1;
  }
  return { sumOfSquares, df };
}
