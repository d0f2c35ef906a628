import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fullFactorial } from '../../../src/domain/design/full-factorial.js';

describe('a full factorial', () => {
  it('has every combination, the last factor changing fastest', () => {
    expect(fullFactorial<string | number>({ A: [1, 2], B: ['x', 'y', 'z'] })).toEqual([
      { A: 1, B: 'x' },
      { A: 1, B: 'y' },
      { A: 1, B: 'z' },
      { A: 2, B: 'x' },
      { A: 2, B: 'y' },
      { A: 2, B: 'z' },
    ]);
  });

  it('is balanced: as many points as the product, all different, each level equally often', () => {
    const levels = fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[A-Z]{1,3}$/), levels, { maxKeys: 4 }), (factors) => {
        const points = fullFactorial(factors);
        const size = Object.values(factors).reduce((product, { length }) => product * length, 1);
        expect(new Set(points.map((point) => JSON.stringify(point))).size).toBe(size);
        for (const [factor, values] of Object.entries(factors)) {
          for (const value of values)
            expect(points.filter((point) => point[factor] === value)).toHaveLength(size / values.length);
        }
      }),
      { numRuns: 50 },
    );
  });
});
