import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPythonChecker } from '../../../src/adapters/python/python-checker.js';

let folder: string;
const path = process.env['PATH'];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autoresearch-test-'));
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

const check = (...contents: string[]) =>
  createPythonChecker(folder).check(contents.map((content, index) => ({ path: `f${index}.py`, content })));

describe('code, checked by Python itself', () => {
  it('has no problems when it compiles', async () => {
    expect(await check('x = 1\n', 'import torch\nf"{x!r}"\n', '')).toEqual([]);
    expect(await check()).toEqual([]);
  });

  it('is named with file, line and words when it does not', async () => {
    expect(await check('x = 1\n', 'a = 1\nb = = 2\n', 'x = 1\n  y = 2\n')).toEqual([
      { index: 1, message: 'f1.py, line 2: invalid syntax: b = = 2' },
      { index: 2, message: 'f2.py, line 2: unexpected indent: y = 2' },
    ]);
  });

  it('is not run', async () => {
    expect(await check('raise SystemExit(3)\n', `open(${JSON.stringify(join(folder, 'made'))}, "w")\n`)).toEqual([]);
    expect(() => rmSync(join(folder, 'made'))).toThrow('ENOENT');
  });

  it('may begin with a byte-order mark, name an encoding, end lines as on Windows, and hold any character', async () => {
    expect(await check('\ufeffx = 1\n', '# -*- coding: utf-8 -*-\nx = "ä🦊"\n', 'x = 1\r\ny = 2\r\n')).toEqual([]);
  });

  it('is a problem, not a crash, when it holds a zero byte or is nested too deep', async () => {
    const problems = await check('x = "\0"\n', `x = ${'('.repeat(5_000)}${')'.repeat(5_000)}\n`);
    expect(problems?.map(({ index }) => index)).toEqual([0, 1]);
    expect(problems?.[0]?.message).toMatch(/^f0\.py.*null byte/);
  });
});

describe('without an interpreter', () => {
  it('nobody can be asked: null, which is not the same as no problems', async () => {
    process.env['PATH'] = folder;
    expect(await check('b = = 2\n')).toBeNull();
  });

  it("on PATH, the project's own is asked, and a broken one is passed over", async () => {
    mkdirSync(join(folder, '.venv', 'bin'), { recursive: true });
    const own = join(folder, '.venv', 'bin', 'python');
    writeFileSync(own, '#!/bin/sh\necho \'[{"index": 0, "message": "from its own"}]\'\n');
    chmodSync(own, 0o755);
    expect(await check('x')).toEqual([{ index: 0, message: 'from its own' }]);
    writeFileSync(own, '#!/bin/sh\nexit 3\n');
    expect(await check('x = = 1\n')).toEqual([{ index: 0, message: 'f0.py, line 1: invalid syntax: x = = 1' }]);
  });
});
