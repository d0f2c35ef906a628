import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { planDesign } from '../../../src/domain/design/expand-design.js';
import { definingWords, fractionsFor, rowsOf } from '../../../src/domain/design/fractions.js';
import { aliasSets, groupOf, lengthOf, nameOf } from '../../../src/domain/design/words.js';
import { readFixture } from '../../support/design-fixture.js';

const { fractions } = readFixture(
  'fractions',
  z.object({
    fractions: z.array(
      z.object({
        factors: z.number(),
        runs: z.number(),
        rows: z.array(z.array(z.number())),
        resolution: z.number(),
        word_length_pattern_of_least_aberration: z.array(z.number()),
        aliases: z.array(z.array(z.string())),
      }),
    ),
  }),
);
const NAMES = [...'ABCDEFGHJK'];
const twoLevels = (count: number) => Object.fromEntries(NAMES.slice(0, count).map((name) => [name, [-1, 1]]));
const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

describe.each(fractions)('a fraction of $factors factors in $runs runs', (oracle) => {
  const { factors, runs } = oracle;
  const planned = planDesign({ kind: 'fractional_factorial', factors: twoLevels(factors), size: runs });

  it('has the rows of pyDOE3, in some order', () => {
    const rows = planned.points.map((point) => NAMES.slice(0, factors).map((name) => point[name]));
    expect(rows.sort(byText)).toEqual([...oracle.rows].sort(byText));
  });

  it('has the least aberration of all fractions of its size, by exhaustive search, and that resolution', () => {
    const words = (planned.definingRelation ?? '').split(' = ').slice(1);
    const pattern = oracle.word_length_pattern_of_least_aberration.map(
      (_, index) => words.filter((word) => word.split('×').length === index + 3).length,
    );
    expect(pattern).toEqual(oracle.word_length_pattern_of_least_aberration);
    expect(planned.resolution).toBe(oracle.resolution);
  });

  it('names the aliases that multiplying columns out finds', () => {
    const fraction = fractionsFor(factors).find((other) => other.runs === runs);
    const sets = aliasSets(factors, groupOf(fraction ? definingWords(fraction) : []))
      .map((set) => set.filter((word) => lengthOf(word) <= 2).map((word) => nameOf(word, NAMES)))
      .filter(({ length }) => length > 1)
      .map((set) => set.sort((a, b) => a.length - b.length || byText(a, b)));
    expect(sets.sort(byText)).toEqual([...oracle.aliases].sort(byText));
  });

  it('has balanced and orthogonal columns', () => {
    const fraction = fractionsFor(factors).find((other) => other.runs === runs);
    const rows = fraction ? rowsOf(fraction) : [];
    expect(rows).toHaveLength(runs);
    for (let a = 0; a < factors; a++) {
      expect(rows.reduce((sum, row) => sum + (row[a] ?? 0), 0)).toBe(0);
      for (let b = 0; b < a; b++) expect(rows.reduce((sum, row) => sum + (row[a] ?? 0) * (row[b] ?? 0), 0)).toBe(0);
    }
  });
});

describe('a fractional factorial', () => {
  it('says in the words of its factors what it can tell apart', () => {
    const design = planDesign({
      kind: 'fractional_factorial',
      factors: {
        LR: { low: 0.02, high: 0.1, scale: 'log' },
        WD: [0, 0.1],
        DEPTH: [6, 8],
        ACT: { levels: { relu: {}, gelu: {} } },
      },
    });
    expect(design).toMatchObject({
      generators: ['ACT = LR×WD×DEPTH'],
      definingRelation: 'I = LR×WD×DEPTH×ACT',
      resolution: 4,
      aliases: [
        'LR = WD×DEPTH×ACT',
        'WD = LR×DEPTH×ACT',
        'DEPTH = LR×WD×ACT',
        'ACT = LR×WD×DEPTH',
        'LR×WD = DEPTH×ACT',
        'LR×DEPTH = WD×ACT',
        'LR×ACT = WD×DEPTH',
      ],
    });
    expect(design.separates).toContain('Two-factor interactions are mixed with each other');
    expect(design.points[0]).toEqual({ LR: 0.02, WD: 0, DEPTH: 6, ACT: 'relu' });
  });

  it('takes the smallest size that keeps main effects clear of pairs, where none is asked for', () => {
    const sizes = [4, 5, 6, 8, 9].map(
      (count) => planDesign({ kind: 'fractional_factorial', factors: twoLevels(count) }).points.length,
    );
    expect(sizes).toEqual([8, 16, 16, 16, 32]);
  });

  it('has a run order that is every point once, and the same each time', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const design = { kind: 'fractional_factorial', factors: twoLevels(5), size: 8 } as const;
        const { runOrder } = planDesign(design, seed);
        expect([...runOrder].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        expect(planDesign(design, seed).runOrder).toEqual(runOrder);
      }),
      { numRuns: 20 },
    );
    expect(planDesign({ kind: 'fractional_factorial', factors: twoLevels(5) }).runOrder).not.toEqual(
      Array.from({ length: 16 }, (_, index) => index),
    );
  });

  it('refuses what it cannot be, saying what could', () => {
    const asked = (factors: Parameters<typeof planDesign>[0]['factors'], size?: number) => () =>
      planDesign({ kind: 'fractional_factorial', factors, size });
    expect(asked({ A: [1, 2, 3], B: [1, 2], C: [1, 2] })).toThrow(
      'A has 3 levels; a fractional_factorial takes exactly 2.',
    );
    expect(asked(twoLevels(2))).toThrow('takes 3 to 10 factors; there are 2.');
    expect(asked(twoLevels(5), 12)).toThrow('There is no fraction of 5 two-level factors in 12 runs.');
    expect(asked(twoLevels(5), 32)).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        hint: 'Sizes for 5 factors: 8, 16; all of them is kind full_factorial.',
      }),
    );
    expect(asked({})).toThrow('The design has no factors.');
  });
});
