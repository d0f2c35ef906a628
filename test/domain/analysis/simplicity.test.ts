import { createTwoFilesPatch } from 'diff';
import { expect, it } from 'vitest';
import { isSimpler, lineBalance } from '../../../src/domain/analysis/simplicity.js';

const balance = (before: string, after: string) => lineBalance(createTwoFilesPatch('a/x.py', 'b/x.py', before, after));

it('counts lines of code, not a diff’s headers and not blank lines', () => {
  expect(balance('a = 1\nb = 2\n\nc = 3\n', 'a = 1\nc = 4\n')).toEqual({ added: 1, removed: 2 });
  expect(lineBalance('')).toEqual({ added: 0, removed: 0 });
});

it('counts lines that begin like a header', () => {
  expect(balance('--x\n', '')).toEqual({ added: 0, removed: 1 });
  expect(balance('', '++x\n')).toEqual({ added: 1, removed: 0 });
});

it('finds a change simpler only where it removes more than it adds', () => {
  expect(
    [
      { added: 1, removed: 2 },
      { added: 1, removed: 1 },
      { added: 0, removed: 0 },
    ].map(isSimpler),
  ).toEqual([true, false, false]);
});
