import { expect, it } from 'vitest';
import { pythonValue } from '../../src/domain/python-value.js';

it.each([
  ['0.04', 0.04],
  ['2**18', 262_144],
  ['3 * 64', 192],
  ['-1e-3', -0.001],
  ['1_000', 1000],
  ['(1 + 2) / 4', 0.75],
  ['-7 // 2', -4],
  ['-7 % 3', 2],
  ['-2 ** 2', -4],
  ['True', true],
  ['None', null],
  ['"SSSL"', 'SSSL'],
  ["'S'", 'S'],
  ['(0.8, 0.95)', [0.8, 0.95]],
  ['0.8, 0.95', [0.8, 0.95]],
  ['[1, "a", (2,)]', [1, 'a', [2]]],
])('reads %s as Python would', (text, value) => {
  expect(pythonValue(text)).toEqual(value);
});

it.each([
  'DEPTH * 64',
  'torch.bfloat16',
  'f"{x}"',
  '"a\\n"',
  '1 / 0',
  'max(1, 2)',
  'not True',
  '1 < 2',
  '{"a": 1}',
  '',
])('leaves %s as it is written: nothing is run to find out', (text) => {
  expect(pythonValue(text)).toBe(text);
});
