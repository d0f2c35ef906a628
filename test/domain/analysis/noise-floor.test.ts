import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { doubtOfNoise, noiseFloor } from '../../../src/domain/analysis/noise-floor.js';
import { FixtureRun, observed, statisticsFixture } from '../../support/statistics-fixtures.js';

const { cases } = statisticsFixture(
  'noise-floor',
  z.object({
    cases: z.array(
      z.object({
        name: z.string(),
        runs: z.array(FixtureRun),
        prior: z.number().nullable(),
        expected: z.object({
          sd: z.number(),
          df: z.number(),
          effectiveDf: z.number(),
          interval: z.tuple([z.number(), z.number()]),
        }),
      }),
    ),
  }),
);

describe('noise floor', () => {
  it.each(cases)('is statsmodels’ residual mean square of the cells: $name', ({ runs, prior, expected }) => {
    const floor = noiseFloor(runs, prior);
    expect(floor?.sd).toBeCloseTo(expected.sd, 10);
    expect(floor).toMatchObject({ df: expected.df, effectiveDf: expected.effectiveDf });
  });

  it.each(cases)(
    'says how far off it may be by SciPy’s interval, where few runs tell: $name',
    ({ runs, prior, expected }) => {
      const floor = noiseFloor(runs, prior) ?? expect.fail();
      const doubt = doubtOfNoise(floor);
      if (expected.effectiveDf >= 16) expect(doubt).toBeNull();
      for (const [at, end] of (doubt ?? []).entries()) expect(end / (expected.interval[at] ?? 0)).toBeCloseTo(1, 8);
      expect(doubt === null).toBe(expected.effectiveDf >= 16);
    },
  );

  it('leans on the prior below 6 degrees of freedom, and says so', () => {
    const five = [1, 2, 3, 4, 5, 6].map((value) => observed('a', 'h1', value));
    const six = [...five, observed('a', 'h1', 7)];
    expect(noiseFloor(five, 0.1)).toMatchObject({ prior: 0.1, df: 5, effectiveDf: 11 });
    expect(noiseFloor(six, 0.1)).toMatchObject({ prior: null, df: 6, effectiveDf: 6 });
  });

  it('is the prior alone where nothing ran twice, and null without one', () => {
    const single = [observed('a', 'h1', 1), observed('b', 'h1', 2), observed('a', 'h2', 5)];
    expect(noiseFloor(single, 0.25)).toEqual({ sd: 0.25, df: 0, effectiveDf: 6, prior: 0.25 });
    expect(noiseFloor(single, null)).toBeNull();
    expect(noiseFloor([], null)).toBeNull();
  });

  it('is null, not zero, for a script that repeats itself to the last digit', () => {
    expect(
      noiseFloor(
        [0.1, 0.1, 0.1].map((value) => observed('a', 'h1', value)),
        null,
      ),
    ).toBeNull();
  });

  it('does not see how far configurations and machines lie apart', () => {
    const shift = fc.double({ min: -5, max: 5, noNaN: true });
    fc.assert(
      fc.property(shift, shift, (config, block) => {
        const moved = noiseFloor(
          [
            observed('a', 'h1', 0.97),
            observed('a', 'h1', 0.975),
            observed('b', 'h1', 0.98 + config),
            observed('b', 'h1', 0.99 + config),
            observed('b', 'h2', 0.98 + block),
          ],
          null,
        );
        // SS = 0.005²/2 + 0.01²/2 with 2 df.
        expect(moved?.sd).toBeCloseTo(Math.sqrt(6.25e-5 / 2), 10);
        expect(moved?.df).toBe(2);
      }),
    );
  });
});
