import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdit } from '../../src/domain/edits.js';

const edit = (source: string, find: string, replace: string) => applyEdit(source, { file: 'train.py', find, replace });

describe('an edit', () => {
  it('replaces the one place, dollar signs and all', () => {
    expect(edit('a = relu(x)\n', 'relu', '$&gelu$1')).toBe('a = $&gelu$1(x)\n');
    expect(edit('one\ntwo\n', '\ntwo', '')).toBe('one\n');
  });

  it('says so when nothing matches', () => {
    expect(() => edit('a = 1\n', 'b = 1', 'c')).toThrow('The edit of train.py matches nothing: "b = 1".');
  });

  it('names the lines when several places match, overlapping ones too', () => {
    expect(() => edit('x\ny\nx\n', 'x', 'z')).toThrow('matches 2 times, in lines 1, 3: "x".');
    expect(() => edit('aaa', 'aa', 'b')).toThrow('matches 2 times');
  });

  it('changes nothing but what it found', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (before, after, replace) => {
        expect(edit(`${before}\u0001${after}`, '\u0001', replace)).toBe(before + replace + after);
      }),
    );
  });
});
