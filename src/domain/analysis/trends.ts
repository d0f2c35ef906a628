import { compareMetric, type Goal } from '../campaign.js';
import { tCdf } from './distributions.js';
import type { Noise } from './least-squares.js';
import { type Spearman, spearman } from './rank-correlation.js';
import {
  type LevelOfTrend,
  levelsOfTrend,
  type NoiseOfTrend,
  noiseOfTrend,
  type TrendRun,
  type TrendTests,
  trendTests,
} from './trend-tests.js';

/**
 * flat: no level can be told from another. monotone: it goes one way, the best level is an end. optimum_inside: it turns
 * within the levels. optimum_at_edge: the best level is an end, but it does not go one way. irregular: levels differ in no
 * order. unknown: one run a level, no noise floor, and too few levels to tell a curve from noise.
 */
export const TREND_SHAPES = ['flat', 'monotone', 'optimum_inside', 'optimum_at_edge', 'irregular', 'unknown'] as const;
export type TrendShape = (typeof TREND_SHAPES)[number];

export interface Trend {
  readonly shape: TrendShape;
  readonly levels: readonly LevelOfTrend[];
  /** Level with the best mean. */
  readonly best: number;
  /** Where the parabola turns, for an optimum inside; null elsewhere, and where it turns outside the levels. */
  readonly turnsAt: number | null;
  readonly tests: TrendTests | null;
  /** Of level and mean. */
  readonly rank: Spearman | null;
  readonly noise: NoiseOfTrend | null;
  readonly advice: string;
}

interface Ask {
  readonly goal: Goal;
  readonly scale: 'linear' | 'log';
  /** The noise floor; null: replicates of one level, else what a parabola leaves over. */
  readonly noise: Noise | null;
}

/** Three tests are looked at (line, curve, any difference), so each has a third of 5 % (Bonferroni). */
const EACH = 0.05 / 3;

/** What a metric does over the levels of one numeric factor. null below two levels. */
export function trendOver(runs: readonly TrendRun[], { goal, scale, noise }: Ask): Trend | null {
  const levels = levelsOfTrend(runs);
  const best = [...levels].sort((a, b) => compareMetric(goal, a.mean, b.mean))[0];
  if (levels.length < 2 || !best) return null;
  const position = (level: number) => (scale === 'log' ? Math.log(level) : level);
  const floor = noiseOfTrend(runs, noise, position);
  const tests = floor && trendTests(runs, floor, position);
  const shape = tests && floor ? shapeOf({ levels, best, tests, floor, goal }) : 'unknown';
  const vertex = shape === 'optimum_inside' && tests?.vertex !== null ? tests?.vertex : undefined;
  const isWithin = vertex !== undefined && isInside(vertex, levels, position);
  return {
    shape,
    levels,
    best: best.level,
    turnsAt: isWithin ? (scale === 'log' ? Math.exp(vertex) : vertex) : null,
    tests,
    rank: spearman(
      levels.map(({ level }) => level),
      levels.map(({ mean }) => mean),
    ),
    noise: floor,
    advice: ADVICE[shape](best.level),
  };
}

interface Facts {
  readonly levels: readonly LevelOfTrend[];
  readonly best: LevelOfTrend;
  readonly tests: TrendTests;
  readonly floor: NoiseOfTrend;
  readonly goal: Goal;
}

function shapeOf(facts: Facts): TrendShape {
  const { levels, best, tests } = facts;
  // Without any noise rounding errors would be differences.
  if (levels.every(({ mean }) => mean === best.mean)) return 'flat';
  const [linear, quadratic] = [tests.linear?.p ?? 1, tests.quadratic?.p ?? 1];
  if (Math.min(linear, quadratic, tests.anyP ?? 1) >= EACH) return 'flat';
  const [first, last] = [levels[0], levels.at(-1)];
  if (best === first || best === last) return linear < EACH && !turnsBack(facts) ? 'monotone' : 'optimum_at_edge';
  const beatsBoth = [first, last].every(
    (end) => end !== undefined && isBetter(best, end, facts, 2 * (levels.length - 2)),
  );
  if (turnsRound(facts) || beatsBoth) return 'optimum_inside';
  // The best is no end by noise alone: a line that runs on is still a line.
  return linear < EACH && !turnsBack(facts) ? 'monotone' : 'irregular';
}

/**
 * Whether the parabola falls at the one end and rises at the other, both by more than noise (Sasabuchi 1980, Lind & Mehlum
 * 2010). Its curvature alone would call everything an optimum that levels off.
 */
function turnsRound({ tests, goal }: Facts): boolean {
  const [low, high] = tests.endSlopes;
  if (!low || !high) return false;
  const sign = goal === 'minimize' ? 1 : -1;
  return low.t * sign < 0 && high.t * sign > 0 && Math.max(low.p, high.p) / 2 < 0.05;
}

/** Whether some level is distinguishably better than one further along in the direction in which things improve. */
function turnsBack(facts: Facts): boolean {
  const { levels, tests, goal } = facts;
  const improvesUp = (tests.linear?.t ?? 0) * (goal === 'minimize' ? -1 : 1) > 0;
  const ordered = improvesUp ? levels : [...levels].reverse();
  const pairs = (levels.length * (levels.length - 1)) / 2;
  return ordered.some((before, at) => ordered.slice(at + 1).some((after) => isBetter(before, after, facts, pairs)));
}

/** One-sided t test at 5 % over `comparisons`. */
function isBetter(a: LevelOfTrend, b: LevelOfTrend, { floor, goal }: Facts, comparisons: number): boolean {
  const lead = -compareMetric(goal, a.mean, b.mean) / (floor.sd * Math.sqrt(1 / a.n + 1 / b.n));
  return lead > 0 && tCdf(-lead, floor.df) < 0.05 / comparisons;
}

function isInside(vertex: number, levels: readonly LevelOfTrend[], position: (level: number) => number): boolean {
  const places = levels.map(({ level }) => position(level));
  return vertex > Math.min(...places) && vertex < Math.max(...places);
}

const ADVICE: Readonly<Record<TrendShape, (best: number) => string>> = {
  flat: () => 'No level can be told from another: leave it, or replicate the ends.',
  monotone: (best) => `It goes one way: extend the range beyond the better end (best so far ${best}).`,
  optimum_inside: (best) => `The optimum lies inside the range, near ${best}: refine there or go on to another factor.`,
  optimum_at_edge: (best) => `The best level, ${best}, is an end: extend the range there.`,
  irregular: () => 'Levels differ, but in no order: look for aliased levels, then replicate before believing it.',
  unknown: () => 'One run a level and no noise floor: replicate, or run sentinels, before reading a trend.',
};
