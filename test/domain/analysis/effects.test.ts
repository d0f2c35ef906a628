import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { estimateEffects } from '../../../src/domain/analysis/effects.js';
import { planDesign } from '../../../src/domain/design/expand-design.js';
import { readFixture } from '../../support/design-fixture.js';

const Noise = z.object({ sd: z.number(), df: z.number() });
const { sets } = readFixture(
  'effects',
  z.object({
    sets: z.array(
      z.object({
        name: z.string(),
        factors: z.array(z.string()),
        interactions: z.boolean(),
        noise: Noise.nullable(),
        residual_df: z.number(),
        residual_sd: z.number().nullable(),
        runs: z.array(z.object({ row: z.array(z.number()), block: z.string(), value: z.number() })),
        effects: z.array(
          z.object({
            name: z.string(),
            estimate: z.number(),
            se: z.number(),
            low: z.number(),
            high: z.number(),
            p: z.number(),
          }),
        ),
      }),
    ),
  }),
);

const levelsOf = (names: readonly string[], row: readonly number[]) =>
  Object.fromEntries(names.map((name, index) => [name, row[index] ?? 0]));

describe.each(sets)('effects of $name', (oracle) => {
  const runs = oracle.runs.map(({ row, block, value }) => ({ levels: levelsOf(oracle.factors, row), block, value }));
  const found = estimateEffects(runs, oracle.noise);

  it('are those of statsmodels’ OLS, with their standard errors, intervals and p', () => {
    expect(found.hasInteractions).toBe(oracle.interactions);
    expect(found.effects.map(({ name }) => name)).toEqual(oracle.effects.map(({ name }) => name));
    for (const [index, wanted] of oracle.effects.entries()) {
      const { estimate, se, interval, p } = found.effects[index] ?? {};
      expect(estimate).toBeCloseTo(wanted.estimate, 9);
      expect(se).toBeCloseTo(wanted.se, 9);
      expect(interval?.[0]).toBeCloseTo(wanted.low, 8);
      expect(interval?.[1]).toBeCloseTo(wanted.high, 8);
      expect(p).toBeCloseTo(wanted.p, 6);
    }
  });

  it('rest on the noise that was given, else on the residual', () => {
    if (oracle.noise) expect(found.noise).toEqual({ ...oracle.noise, source: 'given' });
    else {
      expect(found.noise).toMatchObject({ df: oracle.residual_df, source: 'residual' });
      expect(found.noise?.sd).toBeCloseTo(oracle.residual_sd ?? 0, 9);
    }
  });
});

const design = (kind: 'full_factorial' | 'fractional_factorial' | 'plackett_burman', count: number, size?: number) =>
  planDesign({
    kind,
    size,
    factors: Object.fromEntries([...'ABCDEFGHJKL'].slice(0, count).map((name) => [name, [10, 20]])),
  }).points;

const small = fc.integer({ min: -50, max: 50 }).map((value) => value / 1e4);

describe('planted effects', () => {
  it('are found again, with block offsets beside them and runs missing', () => {
    fc.assert(
      fc.property(
        fc.array(small, { minLength: 7, maxLength: 7 }),
        small,
        fc.integer({ min: 0, max: 15 }),
        (betas, offset, missing) => {
          const points = [...design('full_factorial', 3), ...design('full_factorial', 3)];
          const runs = points.flatMap((levels, index) => {
            const [a, b, c] = ['A', 'B', 'C'].map((name) => (levels[name] === 20 ? 1 : -1));
            if (index === missing || !a || !b || !c) return [];
            const block = a * b * c > 0 ? 'gpu-01' : 'gpu-02';
            const terms = [1, a, b, c, a * b, a * c, b * c];
            const value = terms.reduce(
              (sum, term, at) => sum + term * (betas[at] ?? 0),
              block === 'gpu-02' ? offset : 0,
            );
            return [{ levels, value, block }];
          });
          const { effects, lost } = estimateEffects(runs, { sd: 1e-4, df: 6 });
          expect(lost).toEqual([]);
          for (const [index, name] of ['A', 'B', 'C', 'A×B', 'A×C', 'B×C'].entries()) {
            expect(effects.find((effect) => effect.name === name)?.estimate).toBeCloseTo(
              2 * (betas[index + 1] ?? 0),
              10,
            );
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('of an ordered factor are the change from its lowest to its highest level; of labels, against the first', () => {
    const runs = [0.02, 0.05, 0.1].flatMap((LR) =>
      ['relu', 'gelu', 'silu'].map((ACT, index) => ({
        levels: { LR, ACT },
        value: 1 - 0.01 * [0.02, 0.05, 0.1].indexOf(LR) + 0.003 * index,
        block: null,
      })),
    );
    const { effects } = estimateEffects(runs, null);
    expect(effects.find(({ name }) => name === 'LR')?.estimate).toBeCloseTo(-0.02, 10);
    expect(effects.find(({ name }) => name === 'ACT[gelu]')?.estimate).toBeCloseTo(0.003, 10);
    expect(effects.find(({ name }) => name === 'ACT[silu]')?.estimate).toBeCloseTo(0.006, 10);
  });
});

describe('aliases', () => {
  const runsOf = (points: ReturnType<typeof design>) =>
    points.map((levels, index) => ({ levels, value: index / 100, block: null }));

  it('are named beside the effect, with their sign', () => {
    const { effects, hasInteractions } = estimateEffects(runsOf(design('fractional_factorial', 7, 8)), null);
    expect(hasInteractions).toBe(false);
    expect(effects[0]).toMatchObject({ name: 'A', aliases: ['B×D', 'C×E', 'F×G'] });
    const flipped = runsOf(design('fractional_factorial', 3, 4)).map((run) => ({
      ...run,
      levels: { ...run.levels, C: run.levels['C'] === 20 ? 10 : 20 },
    }));
    expect(estimateEffects(flipped, null).effects[0]).toMatchObject({ name: 'A', aliases: ['−B×C'] });
  });

  it('of three factors are named where pairs have none; pairs that share a column are fitted once', () => {
    const { effects, hasInteractions, lost } = estimateEffects(runsOf(design('fractional_factorial', 4, 8)), null);
    expect(hasInteractions).toBe(true);
    expect(effects.map(({ name, aliases }) => [name, ...aliases].join(' = '))).toEqual([
      'A = B×C×D',
      'B = A×C×D',
      'C = A×B×D',
      'D = A×B×C',
      'A×B = C×D',
      'A×C = B×D',
      'A×D = B×C',
    ]);
    expect(lost).toEqual([]);
  });

  it('with the blocks are said to be lost, not estimated', () => {
    const points = design('full_factorial', 2);
    const runs = points.map((levels, index) => ({
      levels,
      value: index,
      block: levels['A'] === 10 ? 'gpu-01' : 'gpu-02',
    }));
    const { effects, lost } = estimateEffects(runs, { sd: 0.1, df: 5 });
    expect(effects.map(({ name }) => name)).toEqual(['B', 'A×B']);
    expect(lost).toEqual(['A']);
  });

  it('in part keep all interactions out: twelve runs cannot tell ten pairs from each other', () => {
    const { effects, hasInteractions, noise } = estimateEffects(runsOf(design('plackett_burman', 5)), null);
    expect({ hasInteractions, count: effects.length, df: noise?.df }).toEqual({
      hasInteractions: false,
      count: 5,
      df: 6,
    });
  });
});

describe('runs without replicates or a noise floor', () => {
  it('have no standard error, but Lenth’s margin', () => {
    const values = [0.98, 0.9805, 0.979, 0.981, 0.97, 0.9695, 0.9712, 0.9701];
    const runs = design('fractional_factorial', 7, 8).map((levels, index) => ({
      levels,
      value: values[index] ?? 0,
      block: null,
    }));
    const { effects, lenth, noise } = estimateEffects(runs, null);
    expect(noise).toBeNull();
    expect(effects.every(({ se, interval, p }) => se === null && interval === null && p === null)).toBe(true);
    const large = effects.filter(({ estimate }) => Math.abs(estimate) > (lenth?.marginOfError ?? 1));
    expect(large.map(({ name }) => name)).toEqual(['A']);
  });

  it('have no Lenth where a missing run leaves effects that depend on each other', () => {
    const runs = design('full_factorial', 3)
      .slice(1)
      .map((levels, index) => ({ levels, value: index * index, block: null }));
    expect(estimateEffects(runs, null)).toMatchObject({ noise: null, lenth: null });
  });
});

describe('sentinels', () => {
  it('tell blocks apart that the design does not, and runs that set some factors only are left out', () => {
    const runs = [
      { levels: { A: 1 }, value: 1, block: 'x' },
      { levels: { A: 2 }, value: 5, block: 'y' },
      { levels: {}, value: 0, block: 'x' },
      { levels: {}, value: 3, block: 'y' },
    ];
    // Block y adds 3, by the sentinels, so A makes 5 − 3 − 1 = 1.
    expect(estimateEffects(runs, { sd: 0.5, df: 4 }).effects[0]?.estimate).toBeCloseTo(1, 10);
    expect(estimateEffects(runs.slice(0, 2), { sd: 0.5, df: 4 })).toMatchObject({ effects: [], lost: ['A'] });
    const some = [
      ...runs.map(({ value }) => ({ levels: { A: value > 2 ? 1 : 2, B: value % 2 }, value, block: null })),
      { levels: { A: 1 }, value: 9, block: null },
    ];
    expect(estimateEffects(some, null)).toMatchObject({ n: 4, leftOut: 1 });
  });

  it('are no effect where nothing else ran', () => {
    expect(estimateEffects([], null)).toMatchObject({ effects: [], n: 0, noise: null, lenth: null });
  });
});
