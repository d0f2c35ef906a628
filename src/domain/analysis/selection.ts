import { normalCdf, normalPdf } from './distributions.js';

/**
 * Expected maximum of m independent standard normals, m ≥ 1: ∫ x m φ(x) Φ(x)^(m−1) dx by the trapezoid rule, which for a smooth
 * integrand that vanishes at both ends is exact to the last digits (Trefethen & Weideman 2014). 1.668 at 13, 1.766 at 16.
 */
export function expectedMaximum(m: number): number {
  const [reach, steps] = [10, 640];
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const x = reach * ((2 * i) / steps - 1);
    sum += x * m * normalPdf(x) * normalCdf(x) ** (m - 1);
  }
  return (sum * 2 * reach) / steps;
}

/** By how much the best of m runs without any effect looks better than the truth, in the unit of the noise floor's SD. */
export const expectedLuck = (noiseSd: number, m: number): number => noiseSd * expectedMaximum(m);

export interface Estimate {
  readonly value: number;
  /** Standard error, > 0. */
  readonly standardError: number;
}

export interface ShrunkenValues {
  /** m̂, where all are drawn to. */
  readonly mean: number;
  /** τ̂², spread of the true values; 0 when the noise explains all of it, and every value is the mean then. */
  readonly variance: number;
  /** In the order given. */
  readonly values: readonly { readonly value: number; readonly standardDeviation: number }[];
}

/**
 * Normal–normal empirical Bayes: y_i ~ N(θ_i, s_i²), θ_i ~ N(m, τ²). τ² by the method of moments (DerSimonian & Laird 1986), m weighted
 * by 1/(s_i² + τ²); each value becomes m + τ²/(τ² + s_i²)·(y_i − m), which undoes on average what picking the best had added (Efron
 * & Morris 1975). null for fewer than three, which say nothing of a spread.
 */
export function shrunkenValues(estimates: readonly Estimate[]): ShrunkenValues | null {
  if (estimates.length < 3) return null;
  const fixed = estimates.map(({ standardError }) => 1 / standardError ** 2);
  const centre = weightedMean(estimates, fixed);
  const q = estimates.reduce((sum, { value }, i) => sum + (fixed[i] ?? 0) * (value - centre) ** 2, 0);
  const total = fixed.reduce((sum, w) => sum + w, 0);
  const scale = total - fixed.reduce((sum, w) => sum + w * w, 0) / total;
  const variance = Math.max(0, (q - (estimates.length - 1)) / scale);
  const mean = weightedMean(
    estimates,
    estimates.map(({ standardError }) => 1 / (standardError ** 2 + variance)),
  );
  return {
    mean,
    variance,
    values: estimates.map(({ value, standardError }) => {
      const belief = variance / (variance + standardError ** 2);
      return { value: mean + belief * (value - mean), standardDeviation: standardError * Math.sqrt(belief) };
    }),
  };
}

const weightedMean = (estimates: readonly Estimate[], weights: readonly number[]): number =>
  estimates.reduce((sum, { value }, i) => sum + value * (weights[i] ?? 0), 0) / weights.reduce((sum, w) => sum + w, 0);

/** Of the differences called real, the share that may be none. */
export const FALSE_DISCOVERY_RATE = 0.1;

export interface Discovery {
  /** Smallest rate at which this one would still be called real. */
  readonly adjustedP: number;
  readonly isReal: boolean;
}

/** Benjamini & Hochberg (1995), step-up; for one-sided tests give 1 − P(better). In the order given. */
export function falseDiscoveries(pValues: readonly number[], rate: number = FALSE_DISCOVERY_RATE): Discovery[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => b.p - a.p);
  const adjusted = new Map<number, number>();
  let least = 1;
  for (const [fromLast, { p, index }] of order.entries()) {
    least = Math.min(least, (p * order.length) / (order.length - fromLast));
    adjusted.set(index, least);
  }
  return pValues.map((_, index) => {
    const adjustedP = adjusted.get(index) ?? 1;
    return { adjustedP, isReal: adjustedP <= rate };
  });
}
