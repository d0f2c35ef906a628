import { execa } from 'execa';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPython } from '../../src/domain/python-literal.js';

describe('a JSON value as Python writes it', () => {
  it.each([
    [null, '1', 'None'],
    [true, '0', 'True'],
    [3, '8', '3'],
    [3, '8.0', '3.0'],
    [3, '-.5', '3.0'],
    [3, '1e-3', '3.0'],
    [3, '2**19', '3'],
    [0.5, '8', '0.5'],
    [1e-7, '0.1', '1e-7'],
    ['SL', '"SSSL"', '"SL"'],
    [[1, 2], '(0.5, 0.9)', '(1.0, 2.0)'],
    [[1], '(0, 1)', '(1,)'],
    [[1, 2], '0.5, 0.9', '(1.0, 2.0)'],
    [[], '(1, 2)', '()'],
    [[1, 2], '[3, 4]', '[1, 2]'],
    [[1, 2], 'f(1, 2)', '[1, 2]'],
    [[1, 2], '{"a": 1, "b": 2}', '[1, 2]'],
    [[1, 2], 'None', '[1, 2]'],
    [['1', '2'], '["0"]', '["1", "2"]'],
    [{ a: '1' }, '{}', '{"a": "1"}'],
  ])('writes %j over %s as %s', (value, stood, python) => {
    expect(toPython(value, stood)).toBe(python);
  });

  it.each(['2**18', '3 * 64', '1e-3', '-0.5', '(1 + 2) // 4', '10 % 3', '2 ** -1', '524_288', '.5'])(
    'takes %s for arithmetic where a number stood',
    (text) => {
      expect(toPython(text, '8')).toBe(text);
    },
  );

  it.each(['e5', '1 2', '1(2)', ')1(', '(1', '2**', '1\n2', '', 'SSSL', '__import__', '1.2.3.4', '1; 2', '2**x'])(
    'takes %j for a string where a number stood',
    (text) => {
      expect(toPython(text, '8')).toBe(JSON.stringify(text));
    },
  );

  it.each(['"a"', "'a'", 'f"a"', 'rb"a"', '("a")'])('takes arithmetic for a string where %s stood', (stood) => {
    expect(toPython('2**18', stood)).toBe('"2**18"');
  });

  it('decides in linear time whether a long text is arithmetic', () => {
    const startedAt = performance.now();
    for (const text of [
      '1'.repeat(200_000),
      '1+'.repeat(100_000),
      `${'('.repeat(100_000)}${')'.repeat(100_000)}`,
      '1 '.repeat(1e5),
    ])
      toPython(`${text}x`, '8');
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  // One real Python for all values: it alone knows what Python reads.
  it('is read by Python as the same value, for any value over anything', async () => {
    const stood = ['8', '1.0', '"x"', '(1, 2)', '[0.5]', 'None', '0.5, "a"', 'f(x)', '{}'];
    const values = fc.sample(fc.tuple(fc.jsonValue(), fc.constantFrom(...stood), fc.string({ unit: 'binary' })), 400);
    const holdsArithmetic = (value: unknown) => /"[-\d\s.eE_+*/()%]+"/.test(JSON.stringify(value));
    const cases = values
      .flatMap(([value, at, text]) => [
        { value: JSON.parse(JSON.stringify(value)), at },
        { value: text, at },
      ])
      .filter(({ value }) => !holdsArithmetic(value))
      .map(({ value, at }) => ({ value, text: toPython(value, at) }));
    const program = `import ast,json,sys
def plain(v):
    if isinstance(v, dict): return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)): return [plain(x) for x in v]
    return float(v) if type(v) is int else v  # JSON's whole numbers past 2**53 are doubles in JavaScript
wrong = [c for c in json.load(sys.stdin) if plain(ast.literal_eval(c["text"])) != plain(c["value"])]
print(json.dumps(wrong[:3]))`;
    const { stdout } = await execa('python3', ['-c', program], { input: JSON.stringify(cases) });
    expect(JSON.parse(stdout)).toEqual([]);
  });
});
