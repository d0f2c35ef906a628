import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { normalCdf, normalPdf, tCdf, tQuantile } from '../../../src/domain/analysis/distributions.js';
import { statisticsFixture } from '../../support/statistics-fixtures.js';

const Point = z.object({ t: z.number(), df: z.number(), p: z.number() });
const { cdf, quantile } = statisticsFixture(
  't-distribution',
  z.object({ cdf: z.array(Point), quantile: z.array(Point) }),
);

/** What cephes itself is off by with 1e5 degrees of freedom; a careless formula around it is off by 2e-9 there. */
const LIBRARY_ERROR = 2e-11;

describe('distributions', () => {
  it('give SciPy’s P(T ≤ t), for whole and broken degrees of freedom', () => {
    for (const { t, df, p } of cdf) expect(Math.abs(tCdf(t, df) - p)).toBeLessThan(LIBRARY_ERROR);
  });

  it('give small tails to nine digits of their own, not of 1', () => {
    const tails = cdf.filter(({ t, p }) => t < -1 && p > 1e-200);
    expect(tails.length).toBeGreaterThan(5);
    for (const { t, df, p } of tails) expect(Math.abs(tCdf(t, df) / p - 1)).toBeLessThan(1e-9);
  });

  it('give SciPy’s quantiles of t', () => {
    for (const { t, df, p } of quantile) expect(Math.abs(tQuantile(p, df) - t)).toBeLessThan(1e-7 * (1 + Math.abs(t)));
  });

  it('know the normal distribution', () => {
    expect(normalCdf(-1.959963984540054)).toBeCloseTo(0.025, 12);
    expect(normalPdf(0)).toBeCloseTo(0.3989422804014327, 15);
  });
});
