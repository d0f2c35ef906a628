import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planDesign } from '../../../src/domain/design/expand-design.js';
import { maximinHypercube } from '../../../src/domain/design/latin-hypercube.js';

const once = (count: number) => Array.from({ length: count }, (_, index) => index);
const range = fc
  .tuple(fc.double({ min: 1e-6, max: 100, noNaN: true }), fc.double({ min: 1.0001, max: 1e4, noNaN: true }))
  .map(([low, ratio]) => ({ low, high: low * ratio }))
  .filter(({ low, high }) => !(Number.isInteger(low) && Number.isInteger(high)));

describe('a Latin hypercube', () => {
  it('has one point in each slice of every dimension, whatever the seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 24 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer(),
        (runs, factors, seed) => {
          const points = maximinHypercube(runs, factors, seed);
          for (let column = 0; column < factors; column++) {
            const slices = points.map((point) => Math.floor((point[column] ?? 0) * runs));
            expect(slices.sort((a, b) => a - b)).toEqual(once(runs));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('keeps to its slices after rounding, on the linear and on the log scale', () => {
    fc.assert(
      fc.property(range, fc.constantFrom('linear', 'log'), fc.integer({ min: 2, max: 24 }), (ends, scale, size) => {
        const { points } = planDesign({ kind: 'latin_hypercube', factors: { A: { ...ends, scale } }, size });
        const values = points.map(({ A }) => Number(A)).sort((a, b) => a - b);
        const edge = (slice: number) =>
          scale === 'log'
            ? ends.low * (ends.high / ends.low) ** (slice / size)
            : ends.low + ((ends.high - ends.low) * slice) / size;
        for (const [slice, value] of values.entries()) {
          expect(value).toBeGreaterThanOrEqual(edge(slice));
          expect(value).toBeLessThan(edge(slice + 1));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('takes each whole number, and each level of a list, equally often', () => {
    const { points, levels } = planDesign({
      kind: 'latin_hypercube',
      factors: { DEPTH: { low: 5, high: 8 }, ACT: ['relu', 'gelu'], LR: { low: 0.02, high: 0.1, scale: 'log' } },
      size: 8,
    });
    for (const depth of [5, 6, 7, 8]) expect(points.filter(({ DEPTH }) => DEPTH === depth)).toHaveLength(2);
    for (const act of ['relu', 'gelu']) expect(points.filter(({ ACT }) => ACT === act)).toHaveLength(4);
    expect(levels['DEPTH']).toEqual([5, 6, 7, 8]);
    expect(points.every(({ LR }) => String(LR).length <= 6)).toBe(true);
  });

  it('is the same each time it is asked for, and another with another seed', () => {
    const design = { kind: 'latin_hypercube', factors: { A: { low: 0, high: 0.5 } }, size: 6 } as const;
    expect(planDesign(design).points).toEqual(planDesign(design).points);
    expect(planDesign(design, 1).points).not.toEqual(planDesign(design, 2).points);
  });

  it('spreads further than a single draw does on average', () => {
    const smallest = (points: number[][]) =>
      Math.min(
        ...points.flatMap((a, index) =>
          points.slice(index + 1).map((b) => Math.hypot(...a.map((value, column) => value - (b[column] ?? 0)))),
        ),
      );
    const random = fc.sample(
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), {
        minLength: 8,
        maxLength: 8,
      }),
      { numRuns: 50, seed: 3 },
    );
    const mean = random.reduce((sum, points) => sum + smallest(points), 0) / random.length;
    expect(smallest(maximinHypercube(8, 2, 1))).toBeGreaterThan(mean * 1.5);
  });

  it('refuses a range that is empty, that a log scale cannot hold, or more points than a wave has', () => {
    const asked = (A: { low: number; high: number; scale?: 'log' }, size: number) => () =>
      planDesign({ kind: 'latin_hypercube', factors: { A }, size });
    expect(asked({ low: 2, high: 1 }, 8)).toThrow('A has low 2 and high 1.');
    expect(asked({ low: 0, high: 1, scale: 'log' }, 8)).toThrow('A has low 0 and high 1 on a log scale.');
    expect(asked({ low: 0, high: 1 }, 65)).toThrow('The design has 65 points.');
    expect(asked({ low: 0, high: 1 }, 1)).toThrow('size is 1.');
  });
});
