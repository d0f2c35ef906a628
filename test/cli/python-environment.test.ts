import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { ensurePython } from '../../src/cli/demo/python-environment.js';
import { temporaryProject } from '../support/test-lab.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A `python3` that answers every question with this exit code. */
function fakePython(path: string, exitCode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\nexit ${exitCode}\n`);
  chmodSync(path, 0o755);
}

function places() {
  const folder = temporaryProject();
  const onPath = join(folder, 'bin');
  mkdirSync(onPath);
  vi.stubEnv('PATH', onPath);
  const said: string[] = [];
  const wishes = { folder, packages: ['torch==2.13.0', 'numpy>=2,<3'], say: (line: string) => void said.push(line) };
  return { folder, onPath, said, wishes, own: join(folder, '.venv', 'bin', 'python3') };
}

it('takes the folder’s own .venv when it has the packages, and puts it first on PATH', async () => {
  const { wishes, own, onPath, said } = places();
  fakePython(own, 0);
  expect(await ensurePython(wishes)).toEqual({ python: own, path: `${dirname(own)}:${onPath}` });
  expect(said).toEqual([`Python: ${own} has torch, numpy.`]);
});

it('takes the python3 on PATH when that has them', async () => {
  const { wishes, onPath } = places();
  fakePython(join(onPath, 'python3'), 0);
  expect(await ensurePython(wishes)).toEqual({ python: 'python3', path: onPath });
});

it('says what to install where there is no Python at all', async () => {
  const { wishes, folder, said } = places();
  await expect(ensurePython(wishes)).rejects.toMatchObject({
    code: 'invalid_project',
    hint: expect.stringContaining('Install Python 3.10 or newer'),
  });
  expect(said).toEqual([`Python: python3 on PATH lacks some of torch, numpy. Making ${join(folder, '.venv')} …`]);
});
