import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { adjustedValues, type BlockedFit } from '../../../src/domain/analysis/adjusted-values.js';
import { contrast } from '../../../src/domain/analysis/contrast.js';
import { tCdf } from '../../../src/domain/analysis/distributions.js';
import { noiseFloor } from '../../../src/domain/analysis/noise-floor.js';
import { FixtureRun, observed, statisticsFixture } from '../../support/statistics-fixtures.js';

const Estimate = z.object({ adjusted: z.number(), standardError: z.number() });
const { cases } = statisticsFixture(
  'adjusted-values',
  z.object({
    cases: z.array(
      z.object({
        name: z.string(),
        runs: z.array(FixtureRun),
        blockVariance: z.object({ variance: z.number(), df: z.number() }),
        unshrunk: z.object({
          configs: z.record(z.string(), Estimate.extend({ rawMean: z.number() })),
          blocks: z.record(z.string(), z.number()),
          components: z.number(),
        }),
        shrunk: z
          .object({
            configs: z.record(z.string(), Estimate),
            blocks: z.record(z.string(), z.object({ offset: z.number(), shrinkage: z.number() })),
            contrasts: z.array(
              z.object({
                one: z.string(),
                other: z.string(),
                difference: z.number(),
                standardError: z.number(),
                df: z.number(),
                pBetter: z.number(),
              }),
            ),
          })
          .nullable(),
      }),
    ),
  }),
);
const data = cases.map(({ runs, ...expected }) => ({
  ...expected,
  runs: runs.map((run) => ({ ...run, numSteps: null })),
}));
const shrunken = data.flatMap(({ shrunk, ...rest }) => (shrunk ? [{ ...rest, shrunk }] : []));
const few = data.filter(({ shrunk }) => shrunk === null);

const estimateOf = (fit: BlockedFit, name: string) => {
  const found = fit.configs.find(({ config }) => config === name);
  if (!found) throw new Error(`No ${name} in the fit.`);
  return found;
};

const fitOf = (runs: (typeof data)[number]['runs']) => adjustedValues(runs, noiseFloor(runs, null));

describe('adjusted values', () => {
  it.each(data)('are statsmodels’ two-way least squares where there is no noise floor: $name', ({ runs, unshrunk }) => {
    const fit = adjustedValues(runs, null);
    expect(fit).toMatchObject({ method: 'unshrunk', components: unshrunk.components });
    expect(fit.configs.length).toBe(Object.keys(unshrunk.configs).length);
    for (const { config, rawMean, adjusted, standardError } of fit.configs) {
      expect(Math.abs(rawMean - (unshrunk.configs[config]?.rawMean ?? Number.NaN))).toBeLessThan(1e-12);
      expect(Math.abs(adjusted - (unshrunk.configs[config]?.adjusted ?? Number.NaN))).toBeLessThan(1e-11);
      expect(standardError).toBeNull();
    }
    for (const { block, offset, shrinkage } of fit.blocks) {
      expect(Math.abs(offset - (unshrunk.blocks[block] ?? Number.NaN))).toBeLessThan(1e-11);
      expect(shrinkage).toBe(1);
    }
  });

  it.each(few)(
    'stay unshrunk, with statsmodels’ errors, on too few blocks: $name',
    ({ runs, unshrunk, blockVariance }) => {
      const fit = fitOf(runs);
      expect(fit.method).toBe('unshrunk');
      expect(fit.blockVariance?.variance).toBeCloseTo(blockVariance.variance, 13);
      expect(fit.blockVariance?.df).toBe(blockVariance.df);
      for (const { config, adjusted, standardError } of fit.configs) {
        expect(Math.abs(adjusted - (unshrunk.configs[config]?.adjusted ?? Number.NaN))).toBeLessThan(1e-11);
        expect(Math.abs((standardError ?? Number.NaN) - (unshrunk.configs[config]?.standardError ?? 0))).toBeLessThan(
          1e-11,
        );
      }
    },
  );

  it.each(shrunken)(
    'are generalised least squares with the full covariance: $name',
    ({ runs, shrunk, blockVariance }) => {
      const fit = fitOf(runs);
      expect(fit.method).toBe('shrunk');
      expect(fit.blockVariance?.df).toBe(blockVariance.df);
      expect(Math.abs((fit.blockVariance?.variance ?? Number.NaN) - blockVariance.variance)).toBeLessThan(1e-14);
      for (const { config, adjusted, standardError } of fit.configs) {
        expect(Math.abs(adjusted - (shrunk.configs[config]?.adjusted ?? Number.NaN))).toBeLessThan(1e-10);
        expect(Math.abs((standardError ?? Number.NaN) - (shrunk.configs[config]?.standardError ?? 0))).toBeLessThan(
          1e-10,
        );
      }
      for (const { block, offset, shrinkage } of fit.blocks) {
        expect(Math.abs(offset - (shrunk.blocks[block]?.offset ?? Number.NaN))).toBeLessThan(1e-10);
        expect(Math.abs(shrinkage - (shrunk.blocks[block]?.shrinkage ?? Number.NaN))).toBeLessThan(1e-9);
      }
    },
  );

  it.each(shrunken)('differ by as much, as surely, as NumPy and SciPy say: $name', ({ runs, shrunk }) => {
    const fit = fitOf(runs);
    expect(shrunk.contrasts.length).toBeGreaterThan(1);
    for (const { one, other, difference, standardError, df, pBetter } of shrunk.contrasts) {
      const found = contrast(fit, estimateOf(fit, one), estimateOf(fit, other));
      expect(Math.abs((found?.difference ?? Number.NaN) - difference)).toBeLessThan(1e-10);
      expect(Math.abs((found?.standardError ?? Number.NaN) - standardError)).toBeLessThan(1e-10);
      // The oracle's degrees of freedom come from numerical derivatives.
      expect(Math.abs((found?.df ?? Number.NaN) / df - 1)).toBeLessThan(1e-4);
      const p = found ? tCdf(-found.difference / found.standardError, found.df) : Number.NaN;
      expect(Math.abs(p - pBetter)).toBeLessThan(1e-6);
    }
  });

  it.each(data)('have offsets that sum to 0: $name', ({ runs }) => {
    for (const fit of [adjustedValues(runs, null), fitOf(runs)]) {
      expect(fit.blocks.reduce((sum, { offset }) => sum + offset, 0)).toBeCloseTo(0, 12);
    }
  });

  it.each(shrunken)(
    'are shrunk as §9 has it: each offset is its share of what the configurations leave: $name',
    ({ runs }) => {
      const fit = fitOf(runs);
      for (const { block, offset, shrinkage } of fit.blocks) {
        const left = runs.flatMap((run) =>
          run.block === block ? [run.value - estimateOf(fit, run.config).adjusted] : [],
        );
        expect(offset).toBeCloseTo((shrinkage * left.reduce((sum, rest) => sum + rest, 0)) / left.length, 12);
      }
    },
  );

  it('do not change against each other when all that ran on one of connected blocks moves', () => {
    const runs = data.find(({ name }) => name === 'missing runs')?.runs ?? [];
    const before = adjustedValues(runs, null);
    const blocks = before.blocks.map(({ block }) => block);
    fc.assert(
      fc.property(fc.constantFrom(...blocks), fc.double({ min: -1, max: 1, noNaN: true }), (moved, by) => {
        const after = adjustedValues(
          runs.map((run) => (run.block === moved ? { ...run, value: run.value + by } : run)),
          null,
        );
        const [first] = before.configs;
        for (const { config, adjusted } of before.configs) {
          const was = adjusted - (first?.adjusted ?? Number.NaN);
          const is = estimateOf(after, config).adjusted - estimateOf(after, first?.config ?? '').adjusted;
          expect(is).toBeCloseTo(was, 10);
        }
      }),
    );
  });

  it('say which blocks nothing connects, and compare nothing across', () => {
    const runs = [
      observed('a', 'h1', 1),
      observed('a', 'h1', 1.1),
      observed('b', 'h2', 2),
      observed('a', 'h3', 3),
      observed('c', 'h2', 4),
    ];
    const fit = adjustedValues(runs, noiseFloor(runs, null));
    expect(fit.components).toBe(2);
    expect(fit.blocks.map(({ block, component }) => [block, component])).toEqual([
      ['h1', 1],
      ['h2', 2],
      ['h3', 1],
    ]);
    expect(estimateOf(fit, 'c').component).toBe(2);
    expect(contrast(fit, estimateOf(fit, 'c'), estimateOf(fit, 'a'))).toBeNull();
    expect(contrast(fit, estimateOf(fit, 'c'), estimateOf(fit, 'b'))?.difference).toBeCloseTo(2, 12);
  });

  it('follow the speed of the machines where nothing connects them', () => {
    // Planted: −0.05 a unit of ln(steps), the same configuration's worth on each machine.
    const runs = [1000, 1100, 1300, 1600].map((steps, n) =>
      observed(`c${n}`, `h${n}`, 0.98 - 0.05 * Math.log(steps / 1000), steps),
    );
    const fit = adjustedValues(runs, null);
    expect(fit.method).toBe('steps');
    const values = fit.configs.map(({ adjusted }) => adjusted);
    expect(Math.max(...values) - Math.min(...values)).toBeLessThan(1e-12);
    expect(fit.configs.every(({ standardError }) => standardError === null)).toBe(true);
    expect(fit.blocks.reduce((sum, { offset }) => sum + offset, 0)).toBeCloseTo(0, 12);
  });

  it('are the raw means where neither a configuration nor the steps connect', () => {
    const unknown = [observed('a', 'h1', 1, 900), observed('b', 'h2', 2, 1000), observed('c', 'h3', 3)];
    const two = [observed('a', 'h1', 1, 900), observed('b', 'h2', 2, 1000)];
    for (const runs of [unknown, two]) {
      const fit = adjustedValues(runs, null);
      expect(fit.method).toBe('none');
      for (const { rawMean, adjusted } of fit.configs) expect(adjusted).toBe(rawMean);
    }
  });

  it('of nothing are nothing', () => {
    expect(adjustedValues([], null)).toMatchObject({ configs: [], blocks: [], components: 0 });
  });
});
