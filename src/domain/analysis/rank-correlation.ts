import { inner } from './least-squares.js';
import { twoSidedP } from './tail.js';

export interface Spearman {
  readonly rho: number;
  /** Two-sided, by t = ρ √((n − 2) / (1 − ρ²)); null below three pairs. Rough for few pairs, as SciPy's is. */
  readonly p: number | null;
}

/** Pearson's correlation of the ranks, ties sharing their mean rank; null below two pairs, or where one side is constant. */
export function spearman(x: readonly number[], y: readonly number[]): Spearman | null {
  const [a, b] = [centredRanks(x), centredRanks(y)];
  const scale = Math.sqrt(inner(a, a) * inner(b, b));
  if (scale === 0) return null;
  const rho = Math.max(-1, Math.min(1, inner(a, b) / scale));
  const df = x.length - 2;
  return { rho, p: df < 1 ? null : twoSidedP(rho * Math.sqrt(df / ((1 - rho) * (1 + rho))), df) };
}

/** Kendall's τ_b (Kendall 1945), which allows for ties; null where one side is constant. */
export function kendallTauB(x: readonly number[], y: readonly number[]): number | null {
  let [both, tiedX, tiedY, agreement] = [0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const dx = Math.sign((x[i] ?? 0) - (x[j] ?? 0));
      const dy = Math.sign((y[i] ?? 0) - (y[j] ?? 0));
      both += 1;
      tiedX += Number(dx === 0);
      tiedY += Number(dy === 0);
      agreement += dx * dy;
    }
  }
  const scale = Math.sqrt((both - tiedX) * (both - tiedY));
  return scale === 0 ? null : agreement / scale;
}

function centredRanks(values: readonly number[]): number[] {
  const mean = (values.length + 1) / 2;
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2 - mean;
  });
}
