// Through the built bin, as a process: what commander prints and exit codes are seen nowhere else.
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));
const run = async (...args: string[]) => {
  const { exitCode, stdout, stderr } = await execa(BIN, args, { reject: false });
  return { exitCode, stdout, stderr };
};

it('suggests the command that was meant', async () => {
  const { exitCode, stderr } = await run('inspct');
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: "error: unknown command 'inspct'\n(Did you mean inspect?)",
  });
});

it('suggests the flag that was meant', async () => {
  const { exitCode, stderr } = await run('inspect', '--jsn');
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: "error: unknown option '--jsn'\n(Did you mean --json?)",
  });
});

it('names its commands and its version', async () => {
  expect((await run('--help')).stdout).toMatch(/inspect \[options\] \[what\][\s\S]*demo/);
  expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+$/);
});

it('does not take the project of a command for the server’s', async () => {
  const { exitCode, stderr } = await run('inspect', '--project', '/nowhere/at/all');
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: 'There is no folder /nowhere/at/all.\nGive another with --project DIR.',
  });
});
