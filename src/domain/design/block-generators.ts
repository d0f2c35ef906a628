import type { Column } from './columns.js';

export interface Blocked {
  /** Block of each point, 0 to count − 1. */
  readonly blocks: readonly number[];
  /** The interactions that are given up for it, `A×B×C`: one for two blocks, two for four, three for eight. */
  readonly generators: readonly string[];
}

interface Candidate {
  readonly name: string;
  readonly order: number;
  readonly values: readonly number[];
}

/**
 * Splits two-level points into 2, 4 or 8 equal blocks by the signs of interaction columns, such that no block contrast,
 * products of the generators among them, goes along with a main effect, and as few as can be with a two-factor
 * interaction. Box, Hunter & Hunter 1978, 10.6 and 12.5. null where the points do not split that way.
 * @param columns one a factor, of ±1 each
 */
export function blocksByInteraction(columns: readonly Column[], count: number): Blocked | null {
  const wanted = Math.log2(count);
  const candidates = interactionColumns(columns);
  const pairs = candidates.filter(({ order }) => order === 2);
  const isPair = (contrast: readonly number[]) => pairs.some(({ values }) => isSame(values, contrast));
  let best: { readonly chosen: readonly Candidate[]; readonly lost: number } | null = null;
  const visit = (
    chosen: readonly Candidate[],
    contrasts: readonly (readonly number[])[],
    lost: number,
    from: number,
  ) => {
    if (chosen.length === wanted) {
      best = { chosen, lost };
      return;
    }
    for (let index = from; index < candidates.length; index++) {
      const next = candidates[index];
      if (!next || (best !== null && lost >= best.lost)) return;
      const more = [next.values, ...contrasts.map((contrast) => product(contrast, next.values))];
      const isClear = (contrast: readonly number[]) =>
        isBalanced(contrast) && columns.every(({ values }) => isOrthogonal(contrast, values));
      if (!more.every(isClear)) continue;
      const then = lost + more.filter(isPair).length;
      if (best === null || then < best.lost) visit([...chosen, next], [...contrasts, ...more], then, index + 1);
    }
  };
  visit([], [], 0, 0);
  return best === null ? null : blocked(best);
}

function blocked({ chosen }: { readonly chosen: readonly Candidate[] }): Blocked {
  const points = chosen[0]?.values.map((_, point) => point) ?? [];
  return {
    blocks: points.map((point) =>
      chosen.reduce((block, { values }) => block * 2 + Number((values[point] ?? 0) > 0), 0),
    ),
    generators: chosen.map(({ name }) => name),
  };
}

/**
 * The highest order first: what it is likeliest that nobody will miss; of one order that of the last factors, for who lists factors begins
 * with what matters most. Of equal columns, up to the sign, the shortest name.
 */
function interactionColumns(columns: readonly Column[]): Candidate[] {
  const seen = new Map<string, Candidate>();
  const words = Array.from({ length: 2 ** columns.length }, (_, word) => word)
    .map((word) => columns.filter((_, index) => (word >>> index) & 1))
    .filter(({ length }) => length >= 2)
    .sort((a, b) => a.length - b.length);
  for (const chosen of words) {
    const values = chosen.reduce<readonly number[]>((column, { values }) => product(column, values), ONES(columns));
    const sign = values[0] ?? 1;
    const key = values.map((value) => (value * sign > 0 ? '+' : '-')).join('');
    if (!seen.has(key)) {
      seen.set(key, { name: chosen.map(({ factor }) => factor).join('×'), order: chosen.length, values });
    }
  }
  return [...seen.values()].reverse().sort((a, b) => b.order - a.order);
}

const ONES = (columns: readonly Column[]): number[] => columns[0]?.values.map(() => 1) ?? [];

const product = (a: readonly number[], b: readonly number[]): number[] => a.map((value, at) => value * (b[at] ?? 0));

const inner = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

const isOrthogonal = (a: readonly number[], b: readonly number[]): boolean => Math.abs(inner(a, b)) < 1e-9;

const isSame = (a: readonly number[], b: readonly number[]): boolean => Math.abs(inner(a, b)) > a.length - 1e-9;

const isBalanced = (contrast: readonly number[]): boolean =>
  Math.abs(contrast.reduce((sum, value) => sum + value, 0)) < 1e-9;
