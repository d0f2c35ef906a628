import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { tierAgreement } from '../../../src/domain/analysis/tiers.js';
import { readFixture } from '../../support/design-fixture.js';

const { sets } = readFixture(
  'tiers',
  z.object({
    sets: z.array(
      z.object({
        name: z.string(),
        runs: z.array(z.object({ config: z.string(), tier: z.string(), value: z.number() })),
        f: z.number(),
        p: z.number(),
        numerator_df: z.number(),
        residual_sd: z.number(),
        residual_df: z.number(),
      }),
    ),
  }),
);
const TIERS = ['screen', 'validate'] as const;

describe('agreement between tiers', () => {
  it.each(sets)('tests config × tier as statsmodels’ comparison of the two fits does: $name', (oracle) => {
    const { interaction, noise } = tierAgreement(oracle.runs, TIERS, null);
    expect(noise?.sd).toBeCloseTo(oracle.residual_sd, 9);
    expect(noise?.df).toBe(oracle.residual_df);
    expect(interaction?.df).toBe(oracle.numerator_df);
    expect((interaction?.f ?? 0) / oracle.f).toBeCloseTo(1, 6);
    expect(interaction?.p).toBeCloseTo(oracle.p, 6);
  });

  const runs = (values: Readonly<Record<string, readonly [number, number]>>) =>
    Object.entries(values).flatMap(([config, pair]) =>
      TIERS.map((tier, index) => ({ config, tier, value: pair[index] ?? 0 })),
    );

  it('calls a pair inverted only when its differences differ by more than noise', () => {
    const values = runs({ a: [0.974, 0.9702], b: [0.9742, 0.97], c: [0.98, 0.985] });
    const quiet = tierAgreement(values, TIERS, { sd: 3e-4, df: 12 });
    expect(quiet.reversals.map(({ configs, isInversion }) => [configs, isInversion])).toEqual([[['a', 'b'], false]]);
    const [pair] = tierAgreement(runs({ a: [0.974, 0.973], b: [0.976, 0.97] }), TIERS, { sd: 3e-4, df: 12 }).reversals;
    // d = −0.002 − 0.003 = −0.005, SE = 2σ = 0.0006, t = −8.33 with 12 df.
    expect(pair).toMatchObject({ isInversion: true });
    expect(pair?.p).toBeLessThan(1e-5);
  });

  it('holds more reversed pairs to more (Holm)', () => {
    const values = runs({ a: [1, 1.3], b: [1.05, 1.25], c: [1.1, 1.2] });
    const { reversals } = tierAgreement(values, TIERS, { sd: 0.05, df: 20 });
    expect(reversals).toHaveLength(3);
    const alone = tierAgreement(runs({ a: [1, 1.3], c: [1.1, 1.2] }), TIERS, { sd: 0.05, df: 20 }).reversals[0];
    expect(reversals[0]?.configs).toEqual(['a', 'c']);
    expect(reversals[0]?.p).toBeCloseTo(3 * (alone?.p ?? 0), 9);
  });

  it('uses what ran in both, and says nothing of significance without noise', () => {
    const some = [...runs({ a: [1, 2], b: [2, 1] }), { config: 'only', tier: 'screen', value: 0 }];
    expect(tierAgreement(some, TIERS, null)).toMatchObject({
      configs: 2,
      kendall: -1,
      spearman: { rho: -1, p: null },
      interaction: null,
      noise: null,
      reversals: [{ configs: ['a', 'b'], p: null, isInversion: false }],
    });
    expect(tierAgreement([], TIERS, null)).toMatchObject({ configs: 0, kendall: null, spearman: null, reversals: [] });
  });
});
