import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { AutoresearchError } from '../../src/domain/errors.js';
import type { Literal } from '../../src/domain/experiment.js';
import { applyOverrides, findConstants } from '../../src/domain/python-constants.js';

const SOURCE = readFileSync(new URL('../fixtures/code/train-like.py', import.meta.url), 'utf8');
const override = (overrides: Record<string, Literal>, source = SOURCE) => applyOverrides(source, overrides, 'train.py');

/** The lines that differ, as `old` → `new`. */
function changedLines(after: string, before = SOURCE): string[][] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return now.flatMap((line, index) => (line === old[index] ? [] : [[old[index] ?? '', line]]));
}

function refusal(overrides: Record<string, Literal>, source = SOURCE): AutoresearchError {
  try {
    override(overrides, source);
  } catch (error) {
    if (error instanceof AutoresearchError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('finding constants', () => {
  it('finds those that are assigned once, in capitals first, with what stands there', () => {
    const values = Object.fromEntries(findConstants(SOURCE).overridable.map(({ name, value }) => [name, value]));
    expect(values).toEqual({
      DEPTH: '8',
      WIDTH: '64',
      WINDOW: '"SS#L"',
      ACTIVATION: "'relu²'",
      BETAS: '(0.8, 0.95)',
      BARE: '0.9, 0.99',
      LAYERS: '[1, 2, 3]',
      COEFFICIENTS: expect.stringMatching(/^\[\n {4}\(3\.4445, .*\n.*\n\]$/),
      OPTIONS: '{"lr": 0.1}',
      BATCH: '2**19',
      LR: '0.6 if DEPTH > 4 else 0.3',
      SCALE: '1.0',
      NAME: expect.any(String),
      CONTINUED: '3',
      ONE: '1',
      TWO: '2',
      EMPTY: 'None',
      device: '"cuda"',
      compile_model: 'True',
    });
    expect(Object.keys(values).slice(-2)).toEqual(['device', 'compile_model']);
  });

  it('calls ambiguous what is assigned again, together, under a condition, by a loop, an import, a with or a function', () => {
    expect([...findConstants(SOURCE).ambiguous].sort()).toEqual(
      ['LEFT', 'RIGHT', 'FIRST', 'SECOND', 'COUNT', 'GUARDED', 'TRIED', 'LOOPED', 'OPENED', 'PI', 'TABLE', 'WALRUS']
        .concat(['CHANGED', 'helper', 'step'])
        .sort(),
    );
  });

  it('takes an annotation without a value for no assignment', () => {
    expect(findConstants('A: int\nA = 3\n').overridable).toMatchObject([{ name: 'A', value: '3' }]);
  });

  it('does not trust a constant above an import of everything, which may bring another value', () => {
    const { overridable, ambiguous } = findConstants('A = 1\nfrom settings import *\nB = 2\n');
    expect(overridable.map(({ name }) => name)).toEqual(['B']);
    expect(ambiguous).toEqual(['A']);
  });

  it('counts names that a pattern of match binds', () => {
    expect(findConstants('A = 1\nmatch x:\n  case [A, 2]:\n    pass\n').ambiguous).toEqual(['A']);
  });

  it('never takes an indented assignment for one at the top, though the parser lost track of the block', () => {
    const source = 'if x:\n  with open(f) as (H, I):\n    pass\n  A = 1\nB = 2\n';
    expect(findConstants(source).overridable.map(({ name }) => name)).toEqual(['B']);
  });

  it('finds a constant behind a byte-order mark', () => {
    expect(override({ A: 2 }, '\ufeffA = 1\n')).toBe('\ufeffA = 2\n');
  });
});

describe('overriding constants', () => {
  it('changes the value and keeps the comment, the annotation and all else', () => {
    expect(changedLines(override({ DEPTH: 12, WIDTH: 96, WINDOW: 'SL' }))).toEqual([
      ['DEPTH = 8               # layers, #1 of the knobs', 'DEPTH = 12               # layers, #1 of the knobs'],
      ['WIDTH: int = 64         # annotated', 'WIDTH: int = 96         # annotated'],
      [`WINDOW = "SS#L"         # a string that holds a '#'`, `WINDOW = "SL"         # a string that holds a '#'`],
    ]);
  });

  it('writes an array as the tuple or the list that stood there', () => {
    expect(changedLines(override({ BETAS: [0.9, 0.95], BARE: [0.8, 1], LAYERS: [4] })).map(([, now]) => now)).toEqual([
      'BETAS = (0.9, 0.95)     # a tuple',
      'BARE = (0.8, 1.0)        # a bare tuple',
      'LAYERS = [4]',
    ]);
  });

  it('replaces a value over several lines, tuples inside a list included', () => {
    expect(override({ COEFFICIENTS: [[1, 2, 3]] })).toContain('\nCOEFFICIENTS = [(1.0, 2.0, 3.0)]\nOPTIONS');
  });

  it('takes arithmetic for a number, replaces conditions and expressions, and keeps floats floats', () => {
    expect(
      changedLines(override({ BATCH: '2**18', LR: 0.5, SCALE: 2, CONTINUED: 4, TWO: 3 })).map(([, now]) => now),
    ).toEqual([
      'BATCH = 2**18           # an expression',
      'LR = 0.5  # a condition on the right-hand side',
      'SCALE = 2.0',
      '    4',
      'ONE = 1; TWO = 3',
    ]);
  });

  it('keeps the line ends of a CRLF file', () => {
    const crlf = SOURCE.replaceAll('\n', '\r\n');
    expect(override({ DEPTH: 9, COEFFICIENTS: [[1, 2, 3]], BARE: [1, 2] }, crlf)).toBe(
      override({ DEPTH: 9, COEFFICIENTS: [[1, 2, 3]], BARE: [1, 2] }).replaceAll('\n', '\r\n'),
    );
  });

  it('does nothing without overrides', () => {
    expect(override({})).toBe(SOURCE);
  });

  it('names the constants there are, the nearest first, for one that there is not', () => {
    const { code, message, hint } = refusal({ DEPHT: 9 });
    expect(code).toBe('invalid_code');
    expect(message).toBe('train.py has no top-level constant DEPHT.');
    expect(hint).toMatch(/^Constants, the nearest first: DEPTH, .* and 7 more\.$/);
    expect(refusal({ A: 1 }, 'print(1)\n').hint).toBe('train.py has no constants at all: use "edits".');
    expect(refusal({ MAX_LEN: 1 }).message).toContain('no top-level constant MAX_LEN');
  });

  it.each(['LEFT', 'SECOND', 'COUNT', 'GUARDED', 'LOOPED', 'CHANGED', 'step'])(
    'refuses %s, whose override could be without effect',
    (name) => {
      expect(refusal({ [name]: 1 })).toMatchObject({
        code: 'invalid_code',
        message: expect.stringMatching(/could be without effect/),
        hint: expect.stringMatching(/^Change it with "edits"/),
      });
    },
  );

  // One real Python: that the module then holds these values is its word, not ours.
  it('gives, run by Python, exactly the values that were asked for', async () => {
    const asked = {
      DEPTH: 12,
      WIDTH: 96,
      WINDOW: 'L"\'#\\\n',
      ACTIVATION: 'gelu³ 🦊',
      BETAS: [0.7, 0.95],
      BARE: [0.8, 1],
      LAYERS: [],
      COEFFICIENTS: [[1, 2, 3]],
      OPTIONS: { lr: 1, 'ä"': null },
      LR: 0.25,
      SCALE: 2,
      CONTINUED: 4,
      TWO: 3,
      EMPTY: [true, false, null],
      device: 'cpu',
    };
    const source = override({ ...asked, BATCH: '3 * 2**4' }).replace(/^from prepare.*$/m, '');
    const program = `import json,sys
scope = {}
exec(compile(sys.stdin.buffer.read(), "train.py", "exec"), scope)
print(json.dumps([{k: scope[k] for k in sys.argv[1:]}, scope["BATCH"], repr([scope["BETAS"], scope["BARE"], scope["SCALE"]])]))`;
    const { stdout } = await execa('python3', ['-c', program, ...Object.keys(asked)], { input: source });
    expect(JSON.parse(stdout)).toEqual([asked, 48, '[(0.7, 0.95), (0.8, 1.0), 2.0]']);
  });
});
