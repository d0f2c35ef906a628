import { AutoresearchError } from '../errors.js';
import type { Edit, Literal } from '../experiment.js';

export const SCALES = ['linear', 'log'] as const;

/** What a level changes: a constant, or whatever its label stands for. */
export interface LabelledLevel {
  readonly overrides?: Readonly<Record<string, Literal>> | undefined;
  readonly edits?: readonly Edit[] | undefined;
}

/** All that lies between two numbers; `scale` says what halfway means: the mean, or the geometric mean. */
export interface Range {
  readonly low: number;
  readonly high: number;
  readonly scale?: (typeof SCALES)[number] | undefined;
}

export type Factor = readonly Literal[] | Range | { readonly levels: Readonly<Record<string, LabelledLevel>> };
export type Factors = Readonly<Record<string, Factor>>;

/** Levels by factor, in order. */
export type Levels = Readonly<Record<string, readonly Literal[]>>;

/** Halfway between 0.02 and 0.1 is 0.0447 on the log scale: more digits would say what nobody means. */
const DIGITS = 3;

const isList = (factor: Factor): factor is readonly Literal[] => Array.isArray(factor);

export const isRange = (factor: Factor): factor is Range => !isList(factor) && 'low' in factor;

/** Whole numbers stay whole on the linear scale: a depth of 7.5 is no depth. */
export const isWhole = ({ low, high, scale }: Range): boolean =>
  scale !== 'log' && Number.isInteger(low) && Number.isInteger(high);

/** The value at `share` of the way from low to high, 0 to 1, unrounded. */
export const alongRange = ({ low, high, scale }: Range, share: number): number =>
  scale === 'log' ? low * (high / low) ** share : low + (high - low) * share;

/**
 * The levels that a factor names; low, centre and high of a range. Each is there once.
 * @throws invalid_input for a range that is empty, or that a log scale cannot hold
 */
export function levelsOf(name: string, factor: Factor): readonly Literal[] {
  if (isList(factor)) return unique(factor);
  if (!isRange(factor)) return Object.keys(factor.levels);
  const { low, high } = checkedRange(name, factor);
  const centre = alongRange(factor, 0.5);
  return unique([low, isWhole(factor) ? Math.round(centre) : roundedBetween(centre, low, high), high]);
}

/** Low and high of a range, else the levels. */
export function endsOf(name: string, factor: Factor): readonly Literal[] {
  if (!isRange(factor)) return levelsOf(name, factor);
  const { low, high } = checkedRange(name, factor);
  return [low, high];
}

/** @throws invalid_input for a range that is empty, or that a log scale cannot hold */
export function checkedRange(name: string, range: Range): Range {
  const { low, high, scale } = range;
  if (low < high && (scale !== 'log' || low > 0)) return range;
  throw new AutoresearchError(
    'invalid_input',
    `${name} has low ${low} and high ${high}${scale === 'log' ? ' on a log scale' : ''}.`,
    low < high ? 'A log scale needs low above 0: raise it, or take scale linear.' : 'Give low below high.',
  );
}

/** As few digits as `isGood` lets it have, three at least; all of them where nothing shorter will do. */
export function roundedWhere(value: number, isGood: (rounded: number) => boolean): number {
  for (let digits = DIGITS; digits <= 15; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (isGood(rounded)) return rounded;
  }
  return value;
}

/** Rounding must not reach an end: between 1.0001 and 1.0003 three digits are none. */
const roundedBetween = (value: number, low: number, high: number): number =>
  roundedWhere(value, (rounded) => Math.abs(rounded - value) <= (high - low) / 100);

function unique(levels: readonly Literal[]): readonly Literal[] {
  const seen = new Map(levels.map((level) => [JSON.stringify(level), level]));
  return [...seen.values()];
}
