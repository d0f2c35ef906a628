import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { CampaignAnalysis } from './campaign-analysis.js';
import type { Noise } from './least-squares.js';
import type { BlockedObservation } from './observations.js';

/** Runs of several machines on one scale. */
export interface Reading {
  readonly comparable: (run: BlockedObservation) => number;
  /** Of one such value, the error of its machine's offset included; null: only their own spread can tell. */
  readonly noise: Noise | null;
  /** Whether the machines' offsets were taken out; on one machine there is nothing to take out. */
  readonly isAdjusted: boolean;
}

/**
 * Values of `runs` that may be held against each other. On one machine they are as printed, with the noise floor σ_w. On several that
 * sentinels connect, less the machine's offset. On machines that nothing connects they are as printed, and no noise floor says how
 * far they lie apart.
 *
 * Runs of one machine share the error of its offset: their covariance is σ_w² (I + ZCZ′), with C the offsets' and Z the machines. A
 * contrast x has variance x′(I + ZCZ′)x σ_w² ≤ (1 + λ) x′x σ_w², λ the largest eigenvalue of N^½ C N^½, N the runs of each machine: SD² =
 * σ_w² (1 + λ) is too large for most contrasts, and too small for none.
 */
export function readingOf({ fit, noise }: CampaignAnalysis, runs: readonly BlockedObservation[]): Reading {
  const counts = new Map<string, number>();
  for (const { block } of runs) counts.set(block, (counts.get(block) ?? 0) + 1);
  const blocks = fit.blocks.flatMap((block, at) => {
    const n = counts.get(block.block);
    return n === undefined ? [] : [{ ...block, root: Math.sqrt(n), at }];
  });
  const raw = { comparable: (run: BlockedObservation) => run.value, isAdjusted: false };
  if (blocks.length <= 1) return { ...raw, noise: noise && { sd: noise.sd, df: noise.effectiveDf } };
  const isConnected = new Set(blocks.map(({ component }) => component)).size === 1;
  const covariance = fit.offsetCovariance;
  if (covariance === null || (fit.method !== 'shrunk' && !isConnected)) return { ...raw, noise: null };
  const offsets = new Map(blocks.map(({ block, offset }) => [block, offset]));
  const shared = new Matrix(blocks.map((a) => blocks.map((b) => a.root * covariance.get(a.at, b.at) * b.root)));
  const { realEigenvalues } = new EigenvalueDecomposition(shared, { assumeSymmetric: true });
  const worst = Math.max(0, ...realEigenvalues);
  return {
    comparable: ({ value, block }) => value - (offsets.get(block) ?? 0),
    noise: noise && { sd: noise.sd * Math.sqrt(1 + worst), df: noise.effectiveDf },
    isAdjusted: true,
  };
}
