import type { Literal } from '../experiment.js';
import type { Column } from './least-squares.js';
import { levelLabel } from './main-effects.js';

/** A run with a result, at the levels that a design gave it. */
export interface EffectRun {
  readonly levels: Readonly<Record<string, Literal>>;
  readonly value: number;
  /** Cluster × accelerator × life, or whatever runs may share; null: not known, one block of its own. */
  readonly block: string | null;
}

export interface EffectColumn extends Column {
  readonly factors: readonly string[];
  /** Effect of a unit of the coefficient: 2 for what is coded −1 to +1, from the one to the other. */
  readonly span: 1 | 2;
}

/** The constant, a column for each block but the first, and one for the runs of a design that set no factor: sentinels. */
export function blockColumns(runs: readonly EffectRun[]): Column[] {
  const blocks = [...new Set(runs.map(({ block }) => block))].slice(1);
  const isSentinel = ({ levels }: EffectRun) => Object.keys(levels).length === 0;
  return [
    { name: 'mean', values: runs.map(() => 1) },
    ...blocks.map((block) => ({ name: `block ${block}`, values: runs.map((run) => Number(run.block === block)) })),
    ...(runs.some(isSentinel) ? [{ name: 'sentinels', values: runs.map((run) => Number(isSentinel(run))) }] : []),
  ];
}

/**
 * Two levels are coded −1 and +1, the smaller number or the level met first being −1; more numbers by their order from −1
 * to +1; more labels by one column for each but the first, `ACT[gelu]`. A sentinel has 0.
 */
export function mainColumns(runs: readonly EffectRun[]): EffectColumn[] {
  const factors = [...new Set(runs.flatMap(({ levels }) => Object.keys(levels)))];
  return factors.flatMap((factor): EffectColumn[] => {
    const levels = distinct(runs.flatMap(({ levels }) => levels[factor] ?? (factor in levels ? [null] : [])));
    const isNumeric = levels.every((level) => typeof level === 'number');
    const ordered = isNumeric ? [...levels].sort((a, b) => Number(a) - Number(b)) : levels;
    const labels = ordered.map(levelLabel);
    const at = ({ levels }: EffectRun) => {
      const level = levels[factor];
      return level === undefined ? -1 : labels.indexOf(levelLabel(level));
    };
    if (labels.length < 2) return [];
    if (labels.length === 2 || isNumeric) {
      const coded = runs.map((run) => (at(run) < 0 ? 0 : (2 * at(run)) / (labels.length - 1) - 1));
      return [{ name: factor, factors: [factor], span: 2, values: coded }];
    }
    return labels.slice(1).map((label, index) => ({
      name: `${factor}[${label}]`,
      factors: [factor],
      span: 1,
      values: runs.map((run) => Number(at(run) === index + 1)),
    }));
  });
}

/** Products of columns of different factors, `A×B`. */
export function products(columns: readonly EffectColumn[], order: number): EffectColumn[] {
  return chosen(columns, order).flatMap((members): EffectColumn[] => {
    const factors = members.flatMap((member) => member.factors);
    if (new Set(factors).size < order) return [];
    return [
      {
        name: members.map(({ name }) => name).join('×'),
        factors,
        span: members.some(({ span }) => span === 2) ? 2 : 1,
        values: (members[0]?.values ?? []).map((_, row) =>
          members.reduce((product, { values }) => product * (values[row] ?? 0), 1),
        ),
      },
    ];
  });
}

function chosen<Item>(items: readonly Item[], count: number): Item[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, index) => chosen(items.slice(index + 1), count - 1).map((rest) => [item, ...rest]));
}

function distinct(levels: readonly Literal[]): Literal[] {
  return [...new Map(levels.map((level) => [levelLabel(level), level])).values()];
}

/** 1 or −1 where a column is another's, up to the sign; null where it is not. */
export function signOf(a: Column, b: Column): 1 | -1 | null {
  if (a.values.every((value, row) => Math.abs(value - (b.values[row] ?? 0)) < 1e-9)) return 1;
  return a.values.every((value, row) => Math.abs(value + (b.values[row] ?? 0)) < 1e-9) ? -1 : null;
}
