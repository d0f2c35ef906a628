import { Matrix } from 'ml-matrix';
import type { BlockedFit, ConfigEstimate } from './adjusted-values.js';

export interface Contrast {
  /** Adjusted value less the other's, in the metric's unit. */
  readonly difference: number;
  readonly standardError: number;
  readonly df: number;
}

/**
 * The difference of two configurations of a fit. SE² = σ_w² (1/n + 1/n₀) + u′Cu, with u the share of runs on each block of the one
 * less that of the other, and C the covariance of the offsets' errors: nothing is added when both ran on the same blocks in the same
 * proportion, and nearly 2σ_b² when they never shared one. Degrees of freedom by Satterthwaite, as in Giesbrecht & Burns (1985):
 * SE⁴ / (g_w² / ν_w + g_b² / ν_b), where g_w + g_b = SE² are the shares that σ_w² and σ_b² have in it.
 * null without a noise floor, and where the two cannot be compared: unconnected, and no σ_b² to say how far blocks lie apart.
 */
export function contrast(fit: BlockedFit, one: ConfigEstimate, other: ConfigEstimate): Contrast | null {
  const { noise, blockVariance, offsetCovariance, method } = fit;
  if (noise === null || offsetCovariance === null) return null;
  if (method !== 'shrunk' && one.component !== other.component) return null;
  const shares = Matrix.columnVector(one.runs.map((runs, h) => runs / one.n - (other.runs[h] ?? 0) / other.n));
  const pull = offsetCovariance.mmul(shares);
  const variance = noise.sd ** 2 * (1 / one.n + 1 / other.n + shares.dot(pull));
  // d(u′Cu)/dσ_b² = |Cu|² / σ_b⁴, for C in the metric's unit squared.
  const betweenShare =
    method === 'shrunk' && blockVariance !== null && blockVariance.variance > 0
      ? (noise.sd ** 4 * pull.dot(pull)) / blockVariance.variance
      : 0;
  const spread =
    (variance - betweenShare) ** 2 / noise.effectiveDf + betweenShare ** 2 / (blockVariance?.df ?? noise.effectiveDf);
  return {
    difference: one.adjusted - other.adjusted,
    standardError: Math.sqrt(variance),
    df: variance ** 2 / spread,
  };
}
