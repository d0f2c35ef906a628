import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { adjustedValues, type BlockedFit, type ConfigEstimate } from '../../../src/domain/analysis/adjusted-values.js';
import { noiseFloor } from '../../../src/domain/analysis/noise-floor.js';
import type { BlockedObservation } from '../../../src/domain/analysis/observations.js';
import { type Judgement, judge, VERDICTS, WIN_PROBABILITY } from '../../../src/domain/analysis/verdict.js';
import type { Goal } from '../../../src/domain/campaign.js';
import { observed, statisticsFixture } from '../../support/statistics-fixtures.js';

const { tests } = statisticsFixture(
  't-distribution',
  z.object({
    tests: z.array(
      z.object({
        candidate: z.array(z.number()),
        incumbent: z.array(z.number()),
        df: z.number(),
        pLower: z.number(),
        pHigher: z.number(),
      }),
    ),
  }),
);

const SIGMA = 1.5e-4;

function estimate(fit: BlockedFit, config: string): ConfigEstimate {
  const found = fit.configs.find((row) => row.config === config);
  if (!found) throw new Error(`No ${config} in the fit.`);
  return found;
}

const verdictOf = (runs: readonly BlockedObservation[], prior: number | null, goal: Goal = 'minimize'): Judgement => {
  const fit = adjustedValues(runs, noiseFloor(runs, prior));
  return judge(fit, estimate(fit, 'new'), estimate(fit, 'old'), goal);
};

const on = (block: string, config: string, values: readonly number[]) =>
  values.map((value) => observed(config, block, value));

/** New and old side by side on one block, new lower by `gain`; no more noise than the prior says. */
const sideBySide = (gain: number, n: number, n0 = n): Judgement =>
  verdictOf([...on('h1', 'new', Array(n).fill(0.98 - gain)), ...on('h1', 'old', Array(n0).fill(0.98))], SIGMA);

describe('a verdict', () => {
  it.each(tests)(
    'on one block is SciPy’s two-sample t-test: $df degrees of freedom',
    ({ candidate, incumbent, df, pLower, pHigher }) => {
      const runs = [...on('h1', 'new', candidate), ...on('h1', 'old', incumbent)];
      const lower = verdictOf(runs, null, 'minimize');
      expect(lower.df).toBeCloseTo(df, 9);
      expect(lower).toMatchObject({ n: candidate.length, incumbentN: incumbent.length });
      expect(Math.abs((lower.pBetter ?? Number.NaN) - pLower)).toBeLessThan(1e-6);
      expect(Math.abs((verdictOf(runs, null, 'maximize').pBetter ?? Number.NaN) - pHigher)).toBeLessThan(1e-6);
    },
  );

  it('is null without a noise floor, with the difference', () => {
    const judgement = verdictOf([...on('h1', 'new', [0.9]), ...on('h1', 'old', [0.98])], null);
    expect(judgement).toMatchObject({ verdict: null, standardError: null, df: null, pBetter: null, replicates: null });
    expect(judgement.difference).toBeCloseTo(-0.08, 12);
  });

  it('is a win for a clear gain in two runs beside two, a loss for as clear a setback', () => {
    expect(sideBySide(1e-3, 2)).toMatchObject({ verdict: 'win', replicates: null });
    expect(sideBySide(-1e-3, 2)).toMatchObject({ verdict: 'loss', replicates: null });
  });

  it('is never a win for a single run, however low, nor against a single run', () => {
    for (const judgement of [sideBySide(1, 1, 4), sideBySide(1, 4, 1)]) {
      expect(judgement.pBetter).toBeGreaterThan(0.999);
      expect(judgement).toMatchObject({ verdict: 'retest', replicates: 1 });
    }
  });

  it('is a tie where more runs would not pay', () => {
    expect(sideBySide(0, 2)).toMatchObject({ verdict: 'tie', pBetter: 0.5, replicates: null });
    expect(sideBySide(2e-5, 2).verdict).toBe('tie');
  });

  it('names as many replicates as make it a win when the gain stays as estimated', () => {
    for (const gain of [3e-4, 3.5e-4, 4e-4]) {
      const { verdict, replicates } = sideBySide(gain, 1);
      expect(verdict).toBe('retest');
      const after = sideBySide(gain, 1 + (replicates ?? Number.NaN));
      expect(after.verdict).toBe('win');
    }
  });

  it('asks for fewer replicates the larger the gain', () => {
    const asked = [2.5e-4, 3.5e-4, 5e-4].map((gain) => sideBySide(gain, 1).replicates ?? Number.POSITIVE_INFINITY);
    expect(asked).toEqual([...asked].sort((a, b) => b - a));
    expect(asked[0]).toBeGreaterThan(asked[2] ?? Number.NaN);
  });

  it('counts how far machines lie apart for a candidate that never shared one with the incumbent', () => {
    // The incumbent on eight hosts that differ by ±7e-4; the candidate looks 5e-4 better, twice, on a ninth.
    const offsets = [9, -7, 3, -8, 7, -2, 6, -9].map((tenth) => tenth * 1e-4);
    const known = offsets.flatMap((offset, h) => on(`h${h}`, 'old', [0.98 + offset + 1e-5, 0.98 + offset - 1e-5]));
    const apart = verdictOf([...known, ...on('h9', 'new', [0.9795, 0.97951])], null);
    expect(apart.standardError).toBeGreaterThan(5e-4);
    expect(apart.pBetter).toBeLessThan(WIN_PROBABILITY);
    expect(apart.verdict).not.toBe('win');
    // Its degrees of freedom are those of the eight hosts, not of all replicates.
    expect(apart.df).toBeLessThan(8);
    const beside = [...known, ...on('h9', 'new', [0.9795, 0.97951]), ...on('h9', 'old', [0.98, 0.98001])];
    expect(verdictOf(beside, null)).toMatchObject({ verdict: 'win' });
  });

  it('asks for runs on a common block where nothing says how far the blocks lie apart', () => {
    const runs = [...on('h1', 'old', [0.98, 0.9801, 0.9802]), ...on('h2', 'new', [0.9, 0.9001])];
    expect(verdictOf(runs, null)).toMatchObject({
      verdict: 'retest',
      pBetter: null,
      standardError: null,
      replicates: 2,
    });
  });

  it('turns with the sign of the metric and the goal together, and with nothing else', () => {
    const value = fc.double({ min: 0.9, max: 1, noNaN: true });
    const some = fc.array(value, { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(some, some, fc.double({ min: -3, max: 3, noNaN: true }), (mine, theirs, constant) => {
        const runs = [...on('h1', 'new', mine), ...on('h1', 'old', theirs)];
        const down = verdictOf(runs, 0.01);
        const up = verdictOf(
          runs.map((run) => ({ ...run, value: constant - run.value })),
          0.01,
          'maximize',
        );
        expect(up.difference).toBeCloseTo(-down.difference, 9);
        expect(up.pBetter).toBeCloseTo(down.pBetter ?? Number.NaN, 6);
        expect(VERDICTS).toContain(down.verdict);
      }),
    );
  });

  it('gives the incumbent the complement of what it gives the candidate', () => {
    const runs = [...on('h1', 'new', [0.981, 0.9803]), ...on('h1', 'old', [0.98, 0.9809, 0.9802])];
    const swapped = runs.map((run) => ({ ...run, config: run.config === 'new' ? 'old' : 'new' }));
    expect((verdictOf(runs, null).pBetter ?? 0) + (verdictOf(swapped, null).pBetter ?? 0)).toBeCloseTo(1, 12);
  });
});
