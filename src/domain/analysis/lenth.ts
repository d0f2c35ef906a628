import { tQuantile } from './distributions.js';

export interface Lenth {
  /** Pseudo standard error of one contrast, in its unit. */
  readonly pse: number;
  /** m / 3 of m contrasts. */
  readonly df: number;
  /** Margin of error: a contrast beyond it is 95 % likely to be real, taken by itself. */
  readonly marginOfError: number;
  /** The same for all contrasts at once. */
  readonly simultaneousMarginOfError: number;
}

/**
 * Noise of unreplicated contrasts from the contrasts themselves, few of which are thought to be real (Lenth 1989):
 * s₀ = 1.5 · median |c|, PSE = 1.5 · median of the |c| < 2.5 s₀, margin t(0.975, m/3) · PSE.
 * @param contrasts effects of equal variance, their mean effect not among them; null for fewer than three
 */
export function lenth(contrasts: readonly number[]): Lenth | null {
  if (contrasts.length < 3) return null;
  const sizes = contrasts.map(Math.abs);
  const scale = 1.5 * median(sizes);
  const small = sizes.filter((size) => size < 2.5 * scale);
  // Where more than half are exactly 0 nothing is below 2.5 · 0.
  const pse = small.length === 0 ? 0 : 1.5 * median(small);
  const df = contrasts.length / 3;
  const each = (1 + 0.95 ** (1 / contrasts.length)) / 2;
  return {
    pse,
    df,
    marginOfError: tQuantile(0.975, df) * pse,
    simultaneousMarginOfError: tQuantile(each, df) * pse,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
