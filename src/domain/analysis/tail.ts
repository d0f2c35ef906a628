import { incbet } from 'cephes';
import { tCdf } from './distributions.js';

/** Two-sided p-value of a t. Without any noise a difference is certain (t infinite: 0), and none is none (t NaN: 1). */
export function twoSidedP(t: number, df: number): number {
  if (Number.isNaN(t)) return 1;
  return Number.isFinite(t) ? Math.min(1, 2 * tCdf(-Math.abs(t), df)) : 0;
}

/** P(F > f) with n and d degrees of freedom; 0/0 and ∞ as above. Abramowitz & Stegun 26.6.2. */
export function upperTailOfF(f: number, n: number, d: number): number {
  if (Number.isNaN(f) || f <= 0) return 1;
  return Number.isFinite(f) ? incbet(d / 2, n / 2, d / (d + n * f)) : 0;
}
