import { inner, leastSquares, type Noise } from './least-squares.js';
import { twoSidedP, upperTailOfF } from './tail.js';

/** One run of a sweep over numbers. */
export interface TrendRun {
  readonly level: number;
  readonly value: number;
}

export interface LevelOfTrend {
  readonly level: number;
  readonly mean: number;
  readonly n: number;
}

export interface Test {
  readonly t: number;
  readonly p: number;
}

export interface TrendTests {
  /** Of a straight line. */
  readonly linear: Test | null;
  /** Of a curve beyond it; null below three levels. */
  readonly quadratic: Test | null;
  /** p of the F test of any difference between levels; null where the noise is what a parabola leaves over. */
  readonly anyP: number | null;
  /** Where the parabola turns, in the units of `position`; null where it is no parabola. */
  readonly vertex: number | null;
  /** Of the parabola's slope at the lowest and at the highest level; empty where it is no parabola. */
  readonly endSlopes: readonly Test[];
}

export interface NoiseOfTrend extends Noise {
  readonly source: 'given' | 'replicates' | 'residual';
}

export function levelsOfTrend(runs: readonly TrendRun[]): LevelOfTrend[] {
  const levels = [...new Set(runs.map(({ level }) => level))].sort((a, b) => a - b);
  return levels.map((level) => {
    const values = runs.flatMap((run) => (run.level === level ? [run.value] : []));
    return { level, mean: values.reduce((sum, value) => sum + value, 0) / values.length, n: values.length };
  });
}

/** What was given; else the spread of replicates of one level; else what a parabola leaves over; null without any. */
export function noiseOfTrend(
  runs: readonly TrendRun[],
  given: Noise | null,
  position: (level: number) => number,
): NoiseOfTrend | null {
  if (given) return { ...given, source: 'given' };
  const levels = levelsOfTrend(runs);
  const df = runs.length - levels.length;
  if (df > 0) {
    const rest = runs.map(({ level, value }) => value - (levels.find((other) => other.level === level)?.mean ?? value));
    return { sd: Math.sqrt(inner(rest, rest) / df), df, source: 'replicates' };
  }
  const { residual } = parabola(runs, position);
  return residual && { ...residual, source: 'residual' };
}

/**
 * Straight line and curvature by orthogonal polynomial contrasts: the t of the last coefficient of a weighted polynomial
 * of degree 1 and 2, so that neither spacing nor numbers of runs need be equal; and F of any difference at all.
 */
export function trendTests(
  runs: readonly TrendRun[],
  noise: NoiseOfTrend,
  position: (level: number) => number,
): TrendTests {
  const levels = levelsOfTrend(runs);
  const values = runs.map(({ value }) => value);
  const xs = runs.map(({ level }) => position(level));
  const line = leastSquares([constant(xs), { name: 'linear', values: centred(xs) }], values);
  const curve = parabola(runs, position);
  const testOf = (fit: typeof line, name: string): Test | null => {
    const found = fit.coefficients.find((other) => other.name === name);
    if (!found) return null;
    const t = found.estimate === 0 ? 0 : found.estimate / (noise.sd * Math.sqrt(found.unitVariance));
    return { t, p: twoSidedP(t, noise.df) };
  };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const between = levels.reduce((sum, level) => sum + level.n * (level.mean - mean) ** 2, 0);
  const slope = curve.coefficients.find(({ name }) => name === 'linear')?.estimate;
  const square = curve.coefficients.find(({ name }) => name === 'quadratic')?.estimate;
  const spread = scaleOf(xs);
  const ends = [Math.min(...xs), Math.max(...xs)];
  return {
    linear: testOf(line, 'linear'),
    quadratic: testOf(curve, 'quadratic'),
    anyP:
      noise.source === 'residual' || levels.length < 2
        ? null
        : upperTailOfF(between / (levels.length - 1) / noise.sd ** 2, levels.length - 1, noise.df),
    vertex: slope === undefined || !square ? null : meanOf(xs) - (spread * slope) / (2 * square),
    endSlopes: square === undefined ? [] : ends.flatMap((end) => testOf(parabola(runs, position, end), 'linear') ?? []),
  };
}

/** The coefficient of its line is its slope at `origin`; by default in the middle, where line and square are least alike. */
function parabola(runs: readonly TrendRun[], position: (level: number) => number, origin: number | null = null) {
  const places = runs.map(({ level }) => position(level));
  const middle = origin ?? meanOf(places);
  const xs = places.map((x) => (x - middle) / scaleOf(places));
  const columns = [constant(xs), { name: 'linear', values: xs }, { name: 'quadratic', values: xs.map((x) => x * x) }];
  return leastSquares(
    columns,
    runs.map(({ value }) => value),
  );
}

const constant = (xs: readonly number[]) => ({ name: 'mean', values: xs.map(() => 1) });

const meanOf = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length;

const scaleOf = (xs: readonly number[]): number => Math.max(...xs.map((x) => Math.abs(x - meanOf(xs)))) || 1;

/** Around 0 and within ±1: 2**18 and 2**19 are numbers whose squares no float tells apart from a constant. */
const centred = (xs: readonly number[]): number[] => xs.map((x) => (x - meanOf(xs)) / scaleOf(xs));
