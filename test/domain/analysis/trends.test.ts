import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { trendTests } from '../../../src/domain/analysis/trend-tests.js';
import { trendOver } from '../../../src/domain/analysis/trends.js';
import { readFixture } from '../../support/design-fixture.js';

const numbers = z.array(z.number());
const { sets } = readFixture(
  'trends',
  z.object({
    sets: z.array(
      z.object({
        name: z.string(),
        x: numbers,
        y: numbers,
        sd: z.number(),
        df: z.number(),
        linear_t: z.number(),
        linear_p: z.number(),
        quadratic_t: z.number(),
        quadratic_p: z.number(),
        any_p: z.number(),
        vertex: z.number(),
        end_slopes: z.array(z.number()),
        spearman: z.number(),
      }),
    ),
  }),
);
const runsOf = (x: readonly number[], y: readonly number[]) =>
  x.map((level, index) => ({ level, value: y[index] ?? 0 }));

describe.each(sets)('trend tests on $name', (oracle) => {
  const runs = runsOf(oracle.x, oracle.y);
  const noise = { sd: oracle.sd, df: oracle.df, source: 'given' } as const;

  it('agree with statsmodels and SciPy', () => {
    const tests = trendTests(runs, noise, (level) => level);
    expect((tests.linear?.t ?? 0) / oracle.linear_t).toBeCloseTo(1, 6);
    expect((tests.quadratic?.t ?? 0) / oracle.quadratic_t).toBeCloseTo(1, 6);
    expect(tests.linear?.p).toBeCloseTo(oracle.linear_p, 6);
    expect(tests.quadratic?.p).toBeCloseTo(oracle.quadratic_p, 6);
    expect(tests.anyP).toBeCloseTo(oracle.any_p, 6);
    for (const [index, t] of oracle.end_slopes.entries()) {
      expect((tests.endSlopes[index]?.t ?? 0) / t).toBeCloseTo(1, 6);
    }
    expect((tests.vertex ?? 0) / oracle.vertex).toBeCloseTo(1, 6);
    expect(trendOver(runs, { goal: 'minimize', scale: 'linear', noise })?.rank?.rho).toBeCloseTo(oracle.spearman, 9);
  });
});

describe('a trend', () => {
  const noise = { sd: 5e-4, df: 10 };
  const over = (values: Readonly<Record<number, number>>, about: Partial<Parameters<typeof trendOver>[1]> = {}) =>
    trendOver(
      Object.entries(values).map(([level, value]) => ({ level: Number(level), value })),
      { goal: 'minimize', scale: 'linear', noise, ...about },
    );

  it.each([
    ['flat', { 1: 0.98, 2: 0.9803, 3: 0.9799, 4: 0.9802 }],
    ['monotone', { 1: 0.99, 2: 0.987, 3: 0.985, 4: 0.982 }],
    // A parabola through what levels off turns inside; but 3 is best by a tenth of the noise: that is no optimum.
    ['monotone', { 1: 0.99, 2: 0.986, 3: 0.98195, 4: 0.982 }],
    ['optimum_inside', { 1: 0.99, 2: 0.982, 3: 0.981, 4: 0.989 }],
    // Too shallow for any two levels to be told apart; the curve through all of them turns.
    [
      'optimum_inside',
      { 1: 0.9818, 2: 0.981, 3: 0.9805, 4: 0.9801, 5: 0.98, 6: 0.9801, 7: 0.9805, 8: 0.981, 9: 0.9818 },
    ],
    // Too narrow for a parabola; the best is far below both ends.
    ['optimum_inside', { 1: 0.99, 2: 0.97, 3: 0.99, 4: 0.9895, 5: 0.989, 6: 0.988 }],
    ['optimum_at_edge', { 1: 0.98, 2: 0.99, 3: 0.991, 4: 0.984 }],
    ['irregular', { 1: 0.9805, 2: 0.99, 3: 0.98, 4: 0.991, 5: 0.981 }],
  ] as const)('is called %s', (shape, values) => {
    expect(over(values)?.shape).toBe(shape);
  });

  it('turns round with the goal', () => {
    const hill = { 1: 0.5, 2: 0.56, 3: 0.58, 4: 0.56, 5: 0.51 };
    expect(over(hill, { goal: 'maximize' })).toMatchObject({ shape: 'optimum_inside', best: 3 });
    expect(over(hill)).toMatchObject({ shape: 'optimum_at_edge', best: 1 });
    expect(over(hill)?.advice).toBe('The best level, 1, is an end: extend the range there.');
  });

  it('finds where it turns, on the scale that was asked for', () => {
    const runs = [0.01, 0.02, 0.04, 0.08, 0.16].map((level) => ({
      level,
      value: 0.98 + 0.01 * Math.log(level / 0.05) ** 2,
    }));
    expect(trendOver(runs, { goal: 'minimize', scale: 'log', noise })?.turnsAt).toBeCloseTo(0.05, 9);
  });

  it('recovers a planted optimum whatever the spacing', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 4, maxLength: 8 }),
        fc.double({ min: 0.2, max: 0.8, noNaN: true }),
        (levels, share) => {
          const [low, high] = [Math.min(...levels), Math.max(...levels)];
          const optimum = low + share * (high - low);
          const runs = levels.map((level) => ({ level, value: ((level - optimum) / (high - low)) ** 2 }));
          const tests = trendTests(runs, { sd: 1e-3, df: 9, source: 'given' }, (level) => level);
          expect(tests.vertex).toBeCloseTo(optimum, 6);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes its noise from replicates, else from what a parabola leaves over, else says that it is unknown', () => {
    const twice = [1, 1, 2, 2, 3, 3].map((level, index) => ({ level, value: level + (index % 2) / 10 }));
    expect(trendOver(twice, { goal: 'minimize', scale: 'linear', noise: null })).toMatchObject({
      shape: 'monotone',
      noise: { source: 'replicates', df: 3 },
    });
    expect(over({ 1: 0.98, 2: 0.97, 3: 0.96, 4: 0.951 }, { noise: null })).toMatchObject({
      shape: 'monotone',
      noise: { source: 'residual', df: 1 },
      tests: { anyP: null },
    });
    expect(over({ 1: 0.98, 2: 0.97, 3: 0.96 }, { noise: null })).toMatchObject({ shape: 'unknown', tests: null });
  });

  it('of levels that are all exactly equal is flat, and of one level there is none', () => {
    expect(over({ 1: 0.98, 2: 0.98, 3: 0.98 })?.shape).toBe('flat');
    expect(over({ 1: 0.98, 2: 0.98, 3: 0.98 }, { noise: { sd: 0, df: 3 } })?.shape).toBe('flat');
    expect(over({ 1: 0.98 })).toBeNull();
    expect(trendOver([], { goal: 'minimize', scale: 'linear', noise })).toBeNull();
  });

  it('is called flat nineteen times in twenty where there is nothing, by runs of normal noise', () => {
    // Box–Muller over evenly spread shares: a fixed sample, so that this test is the same each time.
    const normal = (index: number) => {
      const [u, v] = [(index * 0.618034 + 0.5) % 1 || 0.5, (index * 0.754878 + 0.25) % 1];
      return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
    };
    const trials = Array.from({ length: 400 }, (_, trial) =>
      trendOver(
        [1, 2, 3, 4, 5, 6].map((level) => ({ level, value: normal(trial * 6 + level) })),
        { goal: 'minimize', scale: 'linear', noise: { sd: 1, df: 60 } },
      ),
    );
    const wrong = trials.filter((trend) => trend?.shape !== 'flat').length / trials.length;
    expect(wrong).toBeLessThan(0.07);
  });
});
