import { tQuantile } from './distributions.js';
import { blockColumns, type EffectColumn, type EffectRun, mainColumns, products, signOf } from './effect-columns.js';
import { type Coefficient, type Column, independent, inner, leastSquares, type Noise } from './least-squares.js';
import { type Lenth, lenth } from './lenth.js';
import { twoSidedP } from './tail.js';

export interface Effect {
  /** `LR`, `LR×WD`, or `ACT[gelu]` for one of several labels against the first. */
  readonly name: string;
  /** What the metric changes by from the lowest level to the highest (or from the first label), in its unit. */
  readonly estimate: number;
  /** null: no noise floor was given and the fit leaves no residual. */
  readonly se: number | null;
  /** 95 % interval, by t. */
  readonly interval: readonly [number, number] | null;
  /** Two-sided, of no effect at all. */
  readonly p: number | null;
  /** Interactions that these runs cannot tell from it, `−B×C` where they count against it. */
  readonly aliases: readonly string[];
}

export interface Effects {
  readonly effects: readonly Effect[];
  /** What cannot be told from the blocks, from the sentinels or from several other effects together. */
  readonly lost: readonly string[];
  /** Whether two-factor interactions are among the effects; false where the runs cannot tell all of them apart. */
  readonly hasInteractions: boolean;
  /** What standard errors rest on: the floor that was given, else the residual. */
  readonly noise: (Noise & { readonly source: 'given' | 'residual' }) | null;
  /** For unreplicated designs without a noise floor; null elsewhere, and where effects are not orthogonal. */
  readonly lenth: Lenth | null;
  /** Runs that were used, and those left out because they set some factors of the design and not others. */
  readonly n: number;
  readonly leftOut: number;
}

/**
 * Main effects and two-factor interactions with block terms, by ordinary least squares on coded levels (Box, Hunter &
 * Hunter 1978, ch. 10). Interactions are fitted all or none: some of them would take up what belongs to others.
 * @param noise the noise floor; null: the residual of the fit, where it has one degree of freedom or more
 */
export function estimateEffects(runs: readonly EffectRun[], noise: Noise | null): Effects {
  const factorCount = new Set(runs.flatMap(({ levels }) => Object.keys(levels))).size;
  const used = runs.filter(({ levels }) => [0, factorCount].includes(Object.keys(levels).length));
  const model = modelOf(used);
  const columns = [...model.blocks, ...model.effects];
  const fit = leastSquares(
    columns,
    used.map(({ value }) => value),
  );
  const floor = noise ? ({ ...noise, source: 'given' } as const) : residualOf(fit.residual);
  const effects = model.effects.flatMap((column): Effect[] => {
    const coefficient = fit.coefficients.find(({ name }) => name === column.name);
    if (!coefficient) return [];
    const estimate = coefficient.estimate * column.span;
    const se = floor && floor.sd * Math.sqrt(coefficient.unitVariance) * column.span;
    const half = floor && se !== null ? tQuantile(0.975, floor.df) * se : null;
    return [
      {
        name: column.name,
        estimate,
        se,
        interval: half === null ? null : [estimate - half, estimate + half],
        p: floor && se !== null ? twoSidedP(estimate === 0 ? 0 : estimate / se, floor.df) : null,
        aliases: aliasesOf(column, model),
      },
    ];
  });
  const fitted = model.effects.filter(({ name }) => effects.some((effect) => effect.name === name));
  const named = new Set(
    effects.flatMap(({ name, aliases }) => [name, ...aliases.map((alias) => alias.replace('−', ''))]),
  );
  return {
    effects,
    lost: [...model.mains, ...(model.hasInteractions ? model.pairs : model.taken)].flatMap(({ name }) =>
      named.has(name) ? [] : [name],
    ),
    hasInteractions: model.hasInteractions,
    noise: floor,
    lenth:
      floor === null && areOrthogonal(fit.coefficients, fitted) ? lenth(effects.map(({ estimate }) => estimate)) : null,
    n: used.length,
    leftOut: runs.length - used.length,
  };
}

interface Model {
  readonly blocks: readonly Column[];
  readonly mains: readonly EffectColumn[];
  readonly pairs: readonly EffectColumn[];
  /** Pairs that go along with the blocks. */
  readonly taken: readonly EffectColumn[];
  readonly triples: readonly EffectColumn[];
  readonly effects: readonly EffectColumn[];
  readonly hasInteractions: boolean;
}

function modelOf(runs: readonly EffectRun[]): Model {
  const blocks = independent(blockColumns(runs));
  const mains = mainColumns(runs);
  const pairs = products(mains, 2);
  const fresh: EffectColumn[] = [];
  const taken: EffectColumn[] = [];
  for (const pair of pairs) {
    const isAlias = [...mains, ...fresh].some((other) => signOf(pair, other) !== null);
    const isBlock = independent([...blocks, pair]).length === blocks.length;
    if (isBlock) taken.push(pair);
    else if (!isAlias) fresh.push(pair);
  }
  const all = [...blocks, ...mains, ...fresh];
  const first = independent([...blocks, ...mains]).length;
  const hasInteractions = fresh.length > 0 && independent(all).length === first + fresh.length;
  const triples = mains.length <= MOST_FOR_TRIPLES ? products(mains, 3) : [];
  return {
    blocks,
    mains,
    pairs,
    taken,
    triples,
    effects: hasInteractions ? [...mains, ...fresh] : mains,
    hasInteractions,
  };
}

/** Enough for every fraction there is; more would be a long list of what nobody asks after. */
const MOST_FOR_TRIPLES = 12;

/** The shortest interactions with the same column. */
function aliasesOf(column: EffectColumn, { pairs, triples }: Model): string[] {
  for (const words of [pairs, triples]) {
    const same = words.flatMap((word) => {
      const sign = word.name === column.name ? null : signOf(column, word);
      return sign === null ? [] : [sign > 0 ? word.name : `−${word.name}`];
    });
    if (same.length > 0) return same;
  }
  return [];
}

const residualOf = (residual: Noise | null) => residual && ({ ...residual, source: 'residual' } as const);

/** Lenth's contrasts are independent and of one variance: each column orthogonal to all others, and as long. */
function areOrthogonal(coefficients: readonly Coefficient[], columns: readonly EffectColumn[]): boolean {
  const lengths = columns.map(({ values, span }) => inner(values, values) / span ** 2);
  return columns.every(({ name, values }, index) => {
    const variance = coefficients.find((other) => other.name === name)?.unitVariance ?? 0;
    const isAlone = Math.abs(variance * inner(values, values) - 1) < 1e-9;
    return isAlone && Math.abs((lengths[index] ?? 0) - (lengths[0] ?? 0)) < 1e-9;
  });
}
