import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCode, pythonMeaning } from '../../src/domain/identity.js';
import { applyOverrides, findConstants } from '../../src/domain/python-constants.js';

const TRAIN = readFileSync(new URL('../../python-core/train.py', import.meta.url), 'utf8');
const SHORT = `"""Doc."""
import math

LR = 0.04  # step size
BETAS = (0.8, 0.95)

def step(x, scale=2):
    # twice
    if x > 0:
        return x * scale
    return f"{x} at {scale}"

print(step(LR), step(
    BETAS[0]))
`;

const same = (a: string, b: string) => {
  expect(pythonMeaning(a)).not.toBeNull();
  expect(pythonMeaning(b)).toBe(pythonMeaning(a));
};
const other = (a: string, b: string) => expect(pythonMeaning(b)).not.toBe(pythonMeaning(a));

describe('what a Python file means', () => {
  it.each([
    ['a comment behind code', 'LR = 0.04  # step size', 'LR = 0.04'],
    ['a comment of its own', '    # twice\n', ''],
    ['blanks round an operator', 'x * scale', 'x*scale'],
    ['blanks in an assignment', 'LR = 0.04', 'LR=0.04'],
    ['empty lines', 'import math\n\n', 'import math\n\n\n\n'],
    ['a line break in brackets', 'step(\n    BETAS[0])', 'step(BETAS[0])'],
    ['a line that goes on', 'x > 0', 'x \\\n        > 0'],
    ['how a number is written', '0.04', '4e-2'],
  ])('is the same after a change of %s', (_, from, to) => {
    expect(SHORT).toContain(from);
    same(SHORT, SHORT.replace(from, to));
  });

  it('is the same under another width of indentation, other line ends and a byte-order mark', () => {
    same(SHORT, SHORT.replaceAll('    ', '  '));
    same(SHORT, SHORT.replaceAll('\n', '\r\n'));
    same(SHORT, `\ufeff${SHORT}`);
  });

  it.each([
    ['a value', '0.04', '0.05'],
    ['a docstring', 'Doc.', 'Doc. '],
    ['a blank in a text', '"{x} at {scale}"', '"{x}  at {scale}"'],
    ['a # inside a text', '"{x} at {scale}"', '"{x} # at {scale}"'],
    ['a whole number that becomes a float', 'scale=2', 'scale=2.0'],
    ['an operator', 'x > 0', 'x >= 0'],
    ['the block that a line is in', '    return f"', '        return f"'],
    ['a tuple that becomes a list', '(0.8, 0.95)', '[0.8, 0.95]'],
    ['an annotation', 'def step(x, scale=2):', 'def step(x, scale=2) -> str:'],
  ])('changes with %s', (_, from, to) => {
    expect(SHORT).toContain(from);
    other(SHORT, SHORT.replace(from, to));
  });

  it('is not known of what the parser does not understand', () => {
    expect(pythonMeaning('LR = = 4\n')).toBeNull();
  });
});

describe('the training script', () => {
  const lines = TRAIN.split('\n');
  /** Between two statements of the top level: no bracket, text or block is open there. */
  const gaps = lines.flatMap((line, index) => (/^[A-Z][A-Z0-9_]* = /.test(line) ? [index] : []));

  it('means the same however comments, empty lines and trailing blanks are put into it', () => {
    expect(gaps.length).toBeGreaterThan(5);
    const extra = fc.record({
      gap: fc.constantFrom(...gaps),
      text: fc.oneof(
        fc.constant(''),
        fc.constant('   '),
        fc.string({ unit: 'grapheme' }).map((text) => `# ${text.replace(/[\r\n\f\v\u0085\u2028\u2029]/g, ' ')}`),
      ),
      behind: fc.constantFrom('', '  ', '  # why'),
    });
    fc.assert(
      fc.property(fc.array(extra, { minLength: 1, maxLength: 4 }), (extras) => {
        const changed = lines.flatMap((line, index) => {
          const here = extras.filter(({ gap }) => gap === index);
          const [first] = here;
          return [...here.map(({ text }) => text), line + (first && !line.includes('#') ? first.behind : '')];
        });
        expect(pythonMeaning(changed.join('\n'))).toBe(pythonMeaning(TRAIN));
      }),
      { numRuns: 25, seed: 5 },
    );
  });

  it('means something else with any other value of any constant', () => {
    const { overridable } = findConstants(TRAIN);
    const numbers = overridable.filter(({ value }) => /^[\d.e-]+$/.test(value));
    expect(numbers.length).toBeGreaterThan(5);
    const change = fc.record({
      constant: fc.constantFrom(...numbers),
      value: fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.double({ min: -2, max: 2, noNaN: true })),
    });
    fc.assert(
      fc.property(change, ({ constant, value }) => {
        fc.pre(value !== Number(constant.value));
        other(TRAIN, applyOverrides(TRAIN, { [constant.name]: value }, 'train.py'));
      }),
      { numRuns: 25, seed: 5 },
    );
  });
});

it('counts what runs as code, and not what is read by people or by git', () => {
  expect(['train.py', 'experiment.yaml', 'data/words.txt', 'pyproject.toml'].map(isCode)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['README.md', 'docs/LICENSE', '.gitignore', 'a/.skyignore', 'notes.rst'].map(isCode)).toEqual(
    Array(5).fill(false),
  );
});
