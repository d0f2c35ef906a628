import { inverse, Matrix } from 'ml-matrix';
import type { BlockedObservation } from './observations.js';

export interface DesignConfig {
  readonly config: string;
  /** Runs on each block, in the order of the design's blocks. */
  readonly runs: readonly number[];
  readonly n: number;
  readonly mean: number;
  readonly component: number;
}

export interface DesignBlock {
  readonly block: string;
  readonly n: number;
  readonly component: number;
}

/** Which configuration ran where, with the configurations' means swept out of the blocks. */
export interface BlockedDesign {
  readonly configs: readonly DesignConfig[];
  readonly blocks: readonly DesignBlock[];
  /** Groups of blocks that no configuration joins; numbered from 1. With one, all can be compared. */
  readonly components: number;
  /** A = Z′MZ, blocks × blocks, M = I − X(X′X)⁻¹X′, X and Z the indicators of configurations and blocks. */
  readonly information: Matrix;
  /** r = Z′My, blocks × 1: each block's sum of deviations from the configurations' means. */
  readonly totals: Matrix;
}

type Run = Pick<BlockedObservation, 'config' | 'block' | 'value'>;

/**
 * Normal equations of y = μ_c + b_h + e with the μ absorbed: A b = r (Searle, Linear Models, §7.1). A row of A sums to 0; its
 * null space has one dimension for each component.
 */
export function blockedDesign(observations: readonly Run[]): BlockedDesign {
  const blockNames = [...new Set(observations.map(({ block }) => block))];
  const at = new Map(blockNames.map((block, index) => [block, index]));
  const groups = new Map<string, Run[]>();
  for (const run of observations) groups.set(run.config, [...(groups.get(run.config) ?? []), run]);

  const information = Matrix.zeros(blockNames.length, blockNames.length);
  const totals = Matrix.zeros(blockNames.length, 1);
  const rows = [...groups].map(([config, group]) => {
    const runs = blockNames.map(() => 0);
    const mean = group.reduce((sum, { value }) => sum + value, 0) / group.length;
    for (const { block, value } of group) {
      const h = at.get(block) ?? 0;
      runs[h] = (runs[h] ?? 0) + 1;
      totals.set(h, 0, totals.get(h, 0) + value - mean);
    }
    const used = runs.flatMap((n, h) => (n > 0 ? [{ h, n }] : []));
    for (const a of used) {
      for (const b of used) {
        const own = a.h === b.h ? a.n : 0;
        information.set(a.h, b.h, information.get(a.h, b.h) + own - (a.n * b.n) / group.length);
      }
    }
    return { config, runs, n: group.length, mean, used: used.map(({ h }) => h) };
  });

  const component = componentOfBlocks(
    blockNames.length,
    rows.map(({ used }) => used),
  );
  return {
    configs: rows.map(({ used: [first = 0], ...row }) => ({ ...row, component: component[first] ?? 0 })),
    blocks: blockNames.map((block, h) => ({
      block,
      n: rows.reduce((sum, { runs }) => sum + (runs[h] ?? 0), 0),
      component: component[h] ?? 0,
    })),
    components: Math.max(0, ...component),
    information,
    totals,
  };
}

/** Number of the component of each of `count` blocks, from 1 in order of appearance; each list joins its blocks. */
function componentOfBlocks(count: number, joins: readonly (readonly number[])[]): number[] {
  const label = Array.from({ length: count }, (_, h) => h);
  for (const join of joins) {
    const labels = new Set(join.map((h) => label[h]));
    const [first] = labels;
    if (first === undefined || labels.size === 1) continue;
    for (let h = 0; h < count; h++) if (labels.has(label[h])) label[h] = first;
  }
  const numbers = new Map([...new Set(label)].map((name, index) => [name, index + 1]));
  return label.map((name) => numbers.get(name) ?? 0);
}

/** A⁻ with Σb = 0 in each component: the inverse on what can be estimated, 0 on what cannot. Blocks × blocks. */
export function inverseWithinComponents({ information, blocks }: BlockedDesign): Matrix {
  const size = new Map<number, number>();
  for (const { component } of blocks) size.set(component, (size.get(component) ?? 0) + 1);
  const averaging = Matrix.zeros(blocks.length, blocks.length);
  for (const [a, one] of blocks.entries()) {
    for (const [b, other] of blocks.entries()) {
      if (one.component === other.component) averaging.set(a, b, 1 / (size.get(one.component) ?? 1));
    }
  }
  return blocks.length === 0 ? averaging : inverse(Matrix.add(information, averaging)).sub(averaging);
}
