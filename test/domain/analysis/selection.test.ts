import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  expectedLuck,
  expectedMaximum,
  falseDiscoveries,
  shrunkenValues,
} from '../../../src/domain/analysis/selection.js';
import { statisticsFixture } from '../../support/statistics-fixtures.js';

const { maxima, shrinkage, discoveries } = statisticsFixture(
  'selection',
  z.object({
    maxima: z.array(z.object({ m: z.number(), expected: z.number() })),
    shrinkage: z.array(
      z.object({
        name: z.string(),
        estimates: z.array(z.object({ value: z.number(), standardError: z.number() })),
        variance: z.number(),
        mean: z.number(),
        values: z.array(z.object({ value: z.number(), standardDeviation: z.number() })),
      }),
    ),
    discoveries: z.array(
      z.object({ p: z.array(z.number()), adjusted: z.array(z.number()), isReal: z.array(z.boolean()) }),
    ),
  }),
);

describe('the luck of the best', () => {
  it.each(maxima)('is SciPy’s integral for $m', ({ m, expected }) => {
    expect(Math.abs(expectedMaximum(m) - expected)).toBeLessThan(1e-10);
  });

  it('makes the best of 13 identical runs on 13 hosts look 0.0012 better than the truth', () => {
    expect(expectedLuck(7e-4, 13)).toBeCloseTo(0.0012, 4);
  });
});

describe('shrunken values', () => {
  it.each(shrinkage)('are the normal posterior with statsmodels’ DerSimonian–Laird variance: $name', (expected) => {
    const found = shrunkenValues(expected.estimates);
    expect(Math.abs((found?.variance ?? Number.NaN) - expected.variance)).toBeLessThan(1e-19);
    expect(Math.abs((found?.mean ?? Number.NaN) - expected.mean)).toBeLessThan(1e-12);
    expect(found?.values.length).toBe(expected.values.length);
    for (const [i, { value, standardDeviation }] of (found?.values ?? []).entries()) {
      expect(Math.abs(value - (expected.values[i]?.value ?? Number.NaN))).toBeLessThan(1e-11);
      expect(Math.abs(standardDeviation - (expected.values[i]?.standardDeviation ?? Number.NaN))).toBeLessThan(1e-11);
    }
  });

  it('draw the less certain of two equal values further in', () => {
    const at = (value: number, standardError: number) => ({ value, standardError });
    const found = shrunkenValues([at(0, 0.1), at(1, 0.1), at(2, 0.1), at(4, 0.1), at(4, 1)]);
    const [, , , sure, unsure] = found?.values ?? [];
    expect(unsure?.value).toBeLessThan(sure?.value ?? Number.NaN);
    expect(unsure?.value).toBeGreaterThan(found?.mean ?? Number.NaN);
  });

  it('are null for too few to have a spread', () => {
    expect(
      shrunkenValues([
        { value: 1, standardError: 0.1 },
        { value: 2, standardError: 0.1 },
      ]),
    ).toBeNull();
  });
});

describe('false discoveries', () => {
  it.each(discoveries)('are statsmodels’ Benjamini–Hochberg at 0.1: $p', ({ p, adjusted, isReal }) => {
    const found = falseDiscoveries(p);
    expect(found.map((one) => one.isReal)).toEqual(isReal);
    for (const [i, { adjustedP }] of found.entries()) expect(adjustedP).toBeCloseTo(adjusted[i] ?? Number.NaN, 12);
  });

  it('do not hang on the order in which the tests are given', () => {
    const p = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(p), (ps) => {
        const turned = falseDiscoveries(ps.toReversed()).toReversed();
        expect(turned.map(({ isReal }) => isReal)).toEqual(falseDiscoveries(ps).map(({ isReal }) => isReal));
      }),
    );
  });

  it('of no tests are none', () => {
    expect(falseDiscoveries([])).toEqual([]);
  });
});
