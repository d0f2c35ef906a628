import type { BlockedDesign } from './blocked-design.js';
import { inverseWithinComponents } from './blocked-design.js';
import type { NoiseFloor } from './noise-floor.js';

/** How far apart machines lie. */
export interface BlockVariance {
  /** σ_b², in the metric's unit squared; 0 where the blocks differ by no more than the noise explains. */
  readonly variance: number;
  /** Blocks less components: independent differences between blocks that it rests on, at least 1. */
  readonly df: number;
}

/**
 * σ_b² by Henderson's method III (1953; Searle, Casella & McCulloch, Variance Components, §5.5): the sum of squares of the blocks after
 * the configurations, from the unshrunk fit, is set equal to its expectation. SS = r′A⁻r, E[SS] = σ_w²·df + σ_b²·tr A, so
 * σ_b² = (SS − σ_w²·df) / tr A, and 0 where that is negative. σ_w² is the noise floor's, not the fit's residual. null when no
 * configuration ran on two blocks.
 */
export function blockVariance(design: BlockedDesign, { sd }: NoiseFloor): BlockVariance | null {
  const df = design.blocks.length - design.components;
  if (df === 0) return null;
  const { totals, information } = design;
  const sumOfSquares = totals.dot(inverseWithinComponents(design).mmul(totals));
  return { variance: Math.max(0, (sumOfSquares - sd ** 2 * df) / information.trace()), df };
}
