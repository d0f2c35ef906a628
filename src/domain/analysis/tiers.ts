import { leastSquares, type Noise } from './least-squares.js';
import { kendallTauB, type Spearman, spearman } from './rank-correlation.js';
import { twoSidedP, upperTailOfF } from './tail.js';

export interface TierRun {
  readonly config: string;
  readonly tier: string;
  readonly value: number;
}

/** Two configurations that the tiers order differently. */
export interface Reversal {
  readonly configs: readonly [string, string];
  /** First less second, in each tier. */
  readonly differences: readonly [number, number];
  /** Two-sided, of the pair × tier interaction, by t; Holm's over all reversed pairs. null without noise to judge by. */
  readonly p: number | null;
  /** Only then is it called one: the tiers' differences differ by more than noise. */
  readonly isInversion: boolean;
}

export interface TierAgreement {
  readonly tiers: readonly [string, string];
  /** Configurations that ran in both. */
  readonly configs: number;
  readonly spearman: Spearman | null;
  readonly kendall: number | null;
  /** F test of config × tier over all of them; null without noise, or below two configurations. */
  readonly interaction: { readonly f: number; readonly p: number; readonly df: number } | null;
  readonly reversals: readonly Reversal[];
  readonly noise: Noise | null;
}

const ALPHA = 0.05;

/**
 * Whether two tiers rank configurations alike: rank correlations of their means, and the config × tier interaction of a
 * two-way layout with unequal numbers of runs, before any pair is called an inversion.
 * @param noise the noise floor; null: the pooled spread of runs of one configuration in one tier, if any is there twice
 */
export function tierAgreement(
  runs: readonly TierRun[],
  tiers: readonly [string, string],
  noise: Noise | null,
): TierAgreement {
  const cells = cellsOf(runs, tiers);
  const floor =
    noise ??
    withinCells(
      runs.filter(({ config }) => cells.some((cell) => cell.config === config)),
      tiers,
    );
  const means = [0, 1].map((tier) => cells.map(({ mean }) => mean[tier] ?? 0));
  return {
    tiers,
    configs: cells.length,
    spearman: spearman(means[0] ?? [], means[1] ?? []),
    kendall: kendallTauB(means[0] ?? [], means[1] ?? []),
    interaction: floor && interactionOf(cells, floor),
    reversals: reversalsOf(cells, floor),
    noise: floor,
  };
}

interface Cell {
  readonly config: string;
  readonly mean: readonly [number, number];
  readonly n: readonly [number, number];
}

function cellsOf(runs: readonly TierRun[], tiers: readonly [string, string]): Cell[] {
  return [...new Set(runs.map(({ config }) => config))].flatMap((config) => {
    const [a, b] = tiers.map((tier) =>
      runs.flatMap((run) => (run.config === config && run.tier === tier ? [run.value] : [])),
    );
    if (!a?.length || !b?.length) return [];
    return [{ config, mean: [meanOf(a), meanOf(b)] as const, n: [a.length, b.length] as const }];
  });
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function withinCells(runs: readonly TierRun[], tiers: readonly string[]): Noise | null {
  const groups = new Map<string, number[]>();
  for (const { config, tier, value } of runs) {
    if (tiers.includes(tier))
      groups.set(JSON.stringify([config, tier]), [...(groups.get(JSON.stringify([config, tier])) ?? []), value]);
  }
  const df = [...groups.values()].reduce((sum, { length }) => sum + length - 1, 0);
  const square = [...groups.values()].reduce(
    (sum, values) => sum + values.reduce((part, value) => part + (value - meanOf(values)) ** 2, 0),
    0,
  );
  return df > 0 ? { sd: Math.sqrt(square / df), df } : null;
}

/** What an additive fit of the cells' means, weighted by their runs, leaves over, against the noise. */
function interactionOf(cells: readonly Cell[], { sd, df }: Noise) {
  if (cells.length < 2) return null;
  const rows = cells.flatMap((cell, config) => [0, 1].map((tier) => ({ cell, config, tier })));
  const weights = rows.map(({ cell, tier }) => Math.sqrt(cell.n[tier] ?? 0));
  const weighted = (value: (row: (typeof rows)[number]) => number) =>
    rows.map((row, at) => (weights[at] ?? 0) * value(row));
  const fit = leastSquares(
    [
      ...cells.map((_, index) => ({
        name: `config ${index}`,
        values: weighted(({ config }) => Number(config === index)),
      })),
      { name: 'tier', values: weighted(({ tier }) => tier) },
    ],
    weighted(({ cell, tier }) => cell.mean[tier] ?? 0),
  );
  if (!fit.residual) return null;
  const f = fit.residual.sd ** 2 / sd ** 2;
  return { f, p: upperTailOfF(f, fit.residual.df, df), df: fit.residual.df };
}

function reversalsOf(cells: readonly Cell[], floor: Noise | null): Reversal[] {
  const reversed = cells.flatMap((a, at) =>
    cells.slice(at + 1).flatMap((b) => {
      const differences = [a.mean[0] - b.mean[0], a.mean[1] - b.mean[1]] as const;
      if (differences[0] * differences[1] >= 0) return [];
      const unit = Math.sqrt([...a.n, ...b.n].reduce((sum, n) => sum + 1 / n, 0));
      const p = floor && twoSidedP((differences[0] - differences[1]) / (floor.sd * unit), floor.df);
      return [{ configs: [a.config, b.config] as const, differences, p }];
    }),
  );
  const ordered = reversed.sort((a, b) => (a.p ?? 1) - (b.p ?? 1));
  let largest = 0;
  return ordered.map(({ p, ...pair }, at) => {
    // Holm 1979: the smallest of m is multiplied by m, the next by m − 1, and none is smaller than one before it.
    largest = Math.max(largest, Math.min(1, (p ?? 1) * (ordered.length - at)));
    return { ...pair, p: p === null ? null : largest, isInversion: p !== null && largest < ALPHA };
  });
}
