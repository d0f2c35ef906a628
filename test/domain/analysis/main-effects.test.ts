import { describe, expect, it } from 'vitest';
import { levelLabel, mainEffects } from '../../../src/domain/analysis/main-effects.js';

describe('main effects', () => {
  it('are the means at each level, the factor with the largest range first, as worked out by hand', () => {
    // LR: (1.00 + 1.02) / 2 = 1.01 and (0.90 + 0.96) / 2 = 0.93. DEPTH: 0.95 and 0.99.
    const effects = mainEffects([
      { levels: { DEPTH: 4, LR: 0.1 }, value: 1.0 },
      { levels: { DEPTH: 8, LR: 0.1 }, value: 1.02 },
      { levels: { DEPTH: 4, LR: 0.2 }, value: 0.9 },
      { levels: { DEPTH: 8, LR: 0.2 }, value: 0.96 },
    ]);
    expect(effects.map(({ factor }) => factor)).toEqual(['LR', 'DEPTH']);
    expect(effects[0]?.range).toBeCloseTo(0.08, 12);
    expect(effects[1]?.range).toBeCloseTo(0.04, 12);
    expect(effects[1]?.levels).toEqual([
      { level: '4', mean: expect.closeTo(0.95, 12), n: 2 },
      { level: '8', mean: expect.closeTo(0.99, 12), n: 2 },
    ]);
  });

  it('leave out observations without the factor', () => {
    expect(
      mainEffects([
        { levels: { A: 'x' }, value: 1 },
        { levels: {}, value: 9 },
      ]),
    ).toEqual([{ factor: 'A', levels: [{ level: 'x', mean: 1, n: 1 }], range: 0 }]);
    expect(mainEffects([])).toEqual([]);
  });

  it('write a level as it was given, strings bare', () => {
    expect(['SL', 0.5, [0.9, 0.95], null].map(levelLabel)).toEqual(['SL', '0.5', '[0.9,0.95]', 'null']);
  });
});
