import { inverse, Matrix } from 'ml-matrix';
import { type BlockVariance, blockVariance } from './block-variance.js';
import { type BlockedDesign, blockedDesign, inverseWithinComponents } from './blocked-design.js';
import type { NoiseFloor } from './noise-floor.js';
import type { BlockedObservation } from './observations.js';
import { stepOffsets } from './step-offsets.js';

/**
 * Fewest degrees of freedom of σ_b² to shrink by it. Of two machines that do differ one estimate in six comes out as 0, and would call their
 * runs comparable; with 6 it is one in thousands (for σ_b = 5 σ_w). Unshrunk, a comparison stays within blocks, which is safe.
 */
export const BLOCK_VARIANCE_MIN_DF = 6;

export interface ConfigEstimate {
  readonly config: string;
  readonly n: number;
  readonly rawMean: number;
  /** What it would score on the average block. */
  readonly adjusted: number;
  /** Of `adjusted`, with the uncertainty of the offsets; null without a noise floor, and for `steps`. */
  readonly standardError: number | null;
  /** Configurations of different components never shared a block, not even through others. */
  readonly component: number;
  /** Runs on each block, in the order of the fit's blocks. */
  readonly runs: readonly number[];
}

export interface BlockOffset {
  readonly block: string;
  /** b_h: what the block adds to a run. */
  readonly offset: number;
  readonly n: number;
  /** n_h σ_b² / (n_h σ_b² + σ_w²): 1 when it is taken as measured, 0 when it is not believed at all. */
  readonly shrinkage: number;
  readonly component: number;
}

/** shrunk, unshrunk: from configurations that ran on several blocks. steps: from ln(num_steps), a rough guess. none: all 0. */
export type OffsetMethod = 'shrunk' | 'unshrunk' | 'steps' | 'none';

export interface BlockedFit {
  readonly method: OffsetMethod;
  readonly configs: readonly ConfigEstimate[];
  readonly blocks: readonly BlockOffset[];
  /** More than 1: blocks that nothing connects. */
  readonly components: number;
  readonly noise: NoiseFloor | null;
  readonly blockVariance: BlockVariance | null;
  /** Of the errors of the offsets, blocks × blocks, over σ_w²; null where nothing tells how wrong they are (`steps`). */
  readonly offsetCovariance: Matrix | null;
}

type Run = Pick<BlockedObservation, 'config' | 'block' | 'value' | 'numSteps'>;

/**
 * Two-way fit y = μ_c + b_h + e: every configuration's value with the machines' offsets taken out, Σb = 0.
 *
 * Shrunk: b ~ N(0, σ_b²), solved together with the μ (Henderson's mixed-model equations, 1950), so that
 * b_h = n_h σ_b² / (n_h σ_b² + σ_w²) × the mean of y − μ_c on h; that Σb = 0 follows. The μ are then the generalised least
 * squares estimates. Unshrunk (no noise floor, or σ_b² known by fewer than `BLOCK_VARIANCE_MIN_DF`): ordinary least squares,
 * Σb = 0 in each component. Where no configuration ran on two blocks: offsets from the steps (`stepOffsets`), else 0.
 */
export function adjustedValues(observations: readonly Run[], noise: NoiseFloor | null): BlockedFit {
  const design = blockedDesign(observations);
  const between = noise === null ? null : blockVariance(design, noise);
  const { method, offsets, covariance, shrinkage } = solve(design, observations, noise, between);
  return {
    method,
    components: design.components,
    noise,
    blockVariance: between,
    offsetCovariance: covariance,
    blocks: design.blocks.map((block, h) => ({ ...block, offset: offsets.get(h, 0), shrinkage: shrinkage(block.n) })),
    configs: design.configs.map(({ mean, ...row }) => {
      const weights = Matrix.columnVector(row.runs.map((runs) => runs / row.n));
      const variance = covariance === null ? null : 1 / row.n + weights.dot(covariance.mmul(weights));
      return {
        ...row,
        rawMean: mean,
        adjusted: mean - weights.dot(offsets),
        standardError: noise === null || variance === null ? null : noise.sd * Math.sqrt(variance),
      };
    }),
  };
}

interface Solution {
  readonly method: OffsetMethod;
  readonly offsets: Matrix;
  readonly covariance: Matrix | null;
  readonly shrinkage: (runs: number) => number;
}

function solve(
  design: BlockedDesign,
  observations: readonly Run[],
  noise: NoiseFloor | null,
  between: BlockVariance | null,
): Solution {
  const { blocks, components, information, totals } = design;
  if (blocks.length > 1 && components === blocks.length) {
    const guessed = stepOffsets(observations, blocks);
    if (guessed) return { method: 'steps', offsets: guessed, covariance: null, shrinkage: () => 1 };
  }
  if (noise === null || between === null || between.df < BLOCK_VARIANCE_MIN_DF) {
    const covariance = inverseWithinComponents(design);
    const method = components === blocks.length ? 'none' : 'unshrunk';
    return { method, offsets: covariance.mmul(totals), covariance, shrinkage: () => 1 };
  }
  // σ_b² / σ_w² at 0 would divide by 0; its limit is no offset at all.
  const ratio = between.variance / noise.sd ** 2;
  const covariance =
    ratio === 0
      ? Matrix.zeros(blocks.length, blocks.length)
      : inverse(Matrix.add(information, Matrix.eye(blocks.length).mul(1 / ratio)));
  const shrinkage = (runs: number) => (runs * ratio) / (runs * ratio + 1);
  return { method: 'shrunk', offsets: covariance.mmul(totals), covariance, shrinkage };
}
