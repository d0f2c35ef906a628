import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { kendallTauB, spearman } from '../../../src/domain/analysis/rank-correlation.js';
import { readFixture } from '../../support/design-fixture.js';

const numbers = z.array(z.number());
const { sets } = readFixture(
  'rank-correlation',
  z.object({
    sets: z.array(
      z.object({
        name: z.string(),
        x: numbers,
        y: numbers,
        spearman: z.number(),
        spearman_p: z.number(),
        kendall: z.number(),
      }),
    ),
  }),
);

describe('rank correlations', () => {
  it.each(sets)('agree with SciPy on $name', (oracle) => {
    expect(spearman(oracle.x, oracle.y)?.rho).toBeCloseTo(oracle.spearman, 9);
    expect(spearman(oracle.x, oracle.y)?.p).toBeCloseTo(oracle.spearman_p, 6);
    expect(kendallTauB(oracle.x, oracle.y)).toBeCloseTo(oracle.kendall, 9);
  });

  it('are null, not zero, where one side never changes or there is one pair', () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(kendallTauB([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(spearman([1], [2])).toBeNull();
    expect(kendallTauB([], [])).toBeNull();
    expect(spearman([1, 2], [3, 4])).toEqual({ rho: 1, p: null });
  });
});
