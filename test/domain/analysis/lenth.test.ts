import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lenth } from '../../../src/domain/analysis/lenth.js';
import { readFixture } from '../../support/design-fixture.js';

const { sets } = readFixture(
  'lenth',
  z.object({
    sets: z.array(
      z.object({
        name: z.string(),
        contrasts: z.array(z.number()),
        pse: z.number(),
        df: z.number(),
        me: z.number(),
        sme: z.number(),
      }),
    ),
  }),
);

describe('Lenth’s method', () => {
  it.each(sets)('agrees with NumPy and SciPy on $name', ({ contrasts, pse, df, me, sme }) => {
    const found = lenth(contrasts);
    expect((found?.pse ?? 0) / pse).toBeCloseTo(1, 9);
    expect(found?.df).toBeCloseTo(df, 12);
    expect((found?.marginOfError ?? 0) / me).toBeCloseTo(1, 6);
    expect((found?.simultaneousMarginOfError ?? 0) / sme).toBeCloseTo(1, 6);
  });

  it('has nothing to say of two contrasts, and no noise where all are nothing', () => {
    expect(lenth([0.1, 0.2])).toBeNull();
    expect(lenth([0, 0, 0, 0.5])).toMatchObject({ pse: 0, marginOfError: 0 });
  });
});
