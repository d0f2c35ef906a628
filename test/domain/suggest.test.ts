import { describe, expect, it } from 'vitest';
import { listed, nearestFirst } from '../../src/domain/suggest.js';

describe('suggestions', () => {
  it('put the most alike name first, case aside, and keep all', () => {
    expect(nearestFirst('matrix_lr', ['DEPTH', 'SCALAR_LR', 'MATRIX_LR'])).toEqual(['MATRIX_LR', 'SCALAR_LR', 'DEPTH']);
  });

  it('say how many more there are than a message can carry', () => {
    expect(listed(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
    expect(listed(['a', 'b'], 2)).toBe('a, b');
    expect(listed([])).toBe('');
  });
});
