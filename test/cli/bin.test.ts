// Through the built bin, as a process: what commander prints and exit codes are seen nowhere else.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { writeProject } from '../support/simulated-lab.js';
import { temporaryProject } from '../support/test-lab.js';

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

it.each([
  [
    'SkyPilot’s',
    'experiment_id\tstatus\tval_bpb\tmemory_gb\tdescription',
    'a1\tkeep\t0.997900\t44.0\tbaseline',
    'a2\tcrash\t0.000000\t0.0\ttoo wide',
  ],
  [
    'upstream’s',
    'commit\tval_bpb\tmemory_gb\tstatus\tdescription',
    'a1\t0.997900\t44.0\tkeep\tbaseline',
    'a2\t0.000000\t0.0\tcrash\ttoo wide',
  ],
])(
  'imports a results.tsv in %s column order, where the 0 of a crash is no result, and exports the campaign',
  async (_, ...rows) => {
    const directory = temporaryProject();
    writeProject(directory, { 'theirs.tsv': `${rows.join('\n')}\n` });
    const at = ['--project', directory];
    expect(await run('import', join(directory, 'theirs.tsv'), '--campaign', 'theirs', ...at)).toEqual({
      exitCode: 0,
      stdout: 'Campaign theirs: 2 runs imported (exp-0001 to exp-0002), 1 with a result.',
      stderr: '',
    });
    expect((await run('export', ...at)).stdout).toBe('experiment_id\tstatus\tval_bpb\tmemory_gb\tdescription');
    writeProject(directory, { 'autoresearch.yaml': 'campaign: theirs\n' });
    const out = join(directory, 'ours.tsv');
    expect((await run('export', '--out', out, ...at)).stdout).toBe(`2 runs in ${out}.`);
    const [head, first, crash] = readFileSync(out, 'utf8').split('\n');
    expect(head).toBe('experiment_id\tstatus\tval_bpb\tmemory_gb\tdescription');
    expect(first).toBe('exp-0001\tkeep\t0.997900\t44.0\tbaseline');
    expect(crash).toMatch(/^exp-0002\tcrash\t.*\ttoo wide$/);
    expect(await run('import', join(directory, 'none.tsv'), ...at)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Name a results.tsv.'),
    });
  },
);
