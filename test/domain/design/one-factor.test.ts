import { describe, expect, it } from 'vitest';
import { expandDesign, planDesign } from '../../../src/domain/design/expand-design.js';

describe('a one-factor sweep', () => {
  it('changes one factor at a time and overrides no other', () => {
    const { requests } = planDesign({
      kind: 'one_factor',
      factors: {
        DEPTH: [6, 10],
        ACT: { levels: { gelu: { edits: [{ file: 'train.py', find: 'relu', replace: 'gelu' }] } } },
      },
    });
    expect(
      requests.map(({ description, overrides, edits, levels }) => ({ description, overrides, edits, levels })),
    ).toEqual([
      { description: 'DEPTH=6', overrides: { DEPTH: 6 }, edits: [], levels: { DEPTH: 6 } },
      { description: 'DEPTH=10', overrides: { DEPTH: 10 }, edits: [], levels: { DEPTH: 10 } },
      {
        description: 'ACT=gelu',
        overrides: {},
        edits: [{ file: 'train.py', find: 'relu', replace: 'gelu' }],
        levels: { ACT: 'gelu' },
      },
    ]);
  });

  it.each([
    ['halfway on the linear scale', { low: 0, high: 0.1 }, [0, 0.05, 0.1]],
    [
      'the geometric mean on the log scale, in three digits',
      { low: 0.02, high: 0.1, scale: 'log' },
      [0.02, 0.0447, 0.1],
    ],
    ['a whole number between whole numbers', { low: 4, high: 9 }, [4, 7, 9]],
    ['nothing where there is no number between', { low: 4, high: 5 }, [4, 5]],
    ['more digits where three would reach an end', { low: 1.0001, high: 1.0003 }, [1.0001, 1.0002, 1.0003]],
  ] as const)('has as a range’s centre %s', (_, factor, levels) => {
    expect(planDesign({ kind: 'one_factor', factors: { A: factor } }).points.map(({ A }) => A)).toEqual(levels);
  });

  it('takes a level once that is given twice, and tells a number from its text', () => {
    expect(planDesign({ kind: 'one_factor', factors: { A: [1, 1, '1'] } }).points).toEqual([{ A: 1 }, { A: '1' }]);
  });

  it('has the size that its levels make, and says so', () => {
    expect(() => planDesign({ kind: 'one_factor', factors: { A: [1, 2] }, size: 5 })).toThrow(
      'A one_factor of these factors has 2 points; size is 5.',
    );
    expect(() => planDesign({ kind: 'one_factor', factors: { A: [] } })).toThrow('Factors without a level: A.');
  });
});

describe('a wave', () => {
  it('has as its factors the levels that ran, in order', () => {
    const { kind, factors, planned } = expandDesign(undefined, {
      kind: 'full_factorial',
      factors: { A: { low: 1, high: 3 }, B: ['x', 'y'] },
    });
    expect({ kind, factors, count: planned?.points.length }).toEqual({
      kind: 'full_factorial',
      factors: { A: [1, 2, 3], B: ['x', 'y'] },
      count: 6,
    });
  });

  it('of too many points is refused before they are made', () => {
    const factors = Object.fromEntries([...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((name) => [name, [1, 2, 3, 4, 5, 6]]));
    expect(() => planDesign({ kind: 'full_factorial', factors })).toThrow('points.');
  });
});
