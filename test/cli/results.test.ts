import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readExperiments } from '../../src/lab/lab.js';
import { readProject } from '../../src/store/read-project.js';
import { callTool, connectClient } from '../support/client.js';
import { runCommand } from '../support/command-line.js';
import { createTestLab } from '../support/test-lab.js';

const RESULTS = `commit\tval_bpb\tmemory_gb\tstatus\tdescription
a1b2c3d\t0.997900\t44.0\tkeep\tbaseline
b2c3d4e\t0.993200\t44.2\tkeep\tincrease LR to 0.04
c3d4e5f\t1.005000\t44.0\tdiscard\tswitch to GeLU activation
d4e5f6g\t0.000000\t0.0\tcrash\tdouble model width (OOM)
`;

async function project() {
  const { lab, directory } = await createTestLab();
  const file = join(directory, 'results.tsv');
  writeFileSync(file, RESULTS);
  const run = (...args: string[]) => runCommand([...args, '--project', directory], { [directory]: lab });
  return { lab, directory, file, run, client: await connectClient(async () => lab) };
}

it('imports a results.tsv as a campaign of its own, which a query finds and the project’s campaign does not hold', async () => {
  const { lab, file, run, client } = await project();
  expect(await run('import', file)).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "stderr": "",
      "stdout": "Campaign imported-results: 4 runs imported (exp-0001 to exp-0004), 3 with a result.
    ",
    }
  `);
  expect(await readExperiments(lab)).toEqual([]);
  const found = await callTool(client, 'query_experiments', { fields: ['description', 'campaign', 'decision'] });
  expect(found).toMatchInlineSnapshot(`
    {
      "structured": {
        "experiments": [
          {
            "campaign": "imported-results",
            "decision": "keep without evidence: As results.tsv says.",
            "description": "increase LR to 0.04",
            "experiment_id": "exp-0002",
            "imported": true,
            "value": 0.9932,
          },
          {
            "campaign": "imported-results",
            "decision": "keep without evidence: As results.tsv says.",
            "description": "baseline",
            "experiment_id": "exp-0001",
            "imported": true,
            "value": 0.9979,
          },
          {
            "campaign": "imported-results",
            "decision": "discard: As results.tsv says.",
            "description": "switch to GeLU activation",
            "experiment_id": "exp-0003",
            "imported": true,
            "value": 1.005,
          },
          {
            "campaign": "imported-results",
            "description": "double model width (OOM)",
            "experiment_id": "exp-0004",
            "imported": true,
            "state": "crashed",
            "value": null,
          },
        ],
        "total": 4,
      },
      "text": "4 runs: exp-0002 0.993200, exp-0001 0.997900, exp-0003 1.005000, exp-0004 crashed.",
    }
  `);
});

it('imports a line once, and what has come since when the file has grown', async () => {
  const { file, run } = await project();
  await run('import', file);
  expect((await run('import', file)).stdout).toContain(
    '0 runs imported, 0 with a result.\n4 had been imported before.',
  );
  writeFileSync(file, `${RESULTS}e5f6a7b\t0.99\t44.0\tkeep\tsofter cap\nf6\tn.a.\t1\tkeep\tx\n`);
  expect((await run('import', file)).stdout).toContain(
    '1 runs imported (exp-0005 to exp-0005), 1 with a result.\n4 had been imported before.\nLeft out, line 7: val_bpb is no number: "n.a."',
  );
});

it('takes no imported run for one whose code is known: nothing is its duplicate, replicate or kept', async () => {
  const { lab, file, run, client, directory } = await project();
  await run('import', file, '--campaign', 'last-week');
  const launched = await callTool(client, 'launch_wave', {
    experiments: [{ description: 'baseline', overrides: { DEPTH: 9 } }],
  });
  expect(launched.structured).toMatchObject({ experiment_ids: ['exp-0005', 'exp-0006'] });
  const replicate = await callTool(client, 'launch_experiment', { description: 'again', replicate_of: 'exp-0002' });
  expect(replicate.error).toContain('exp-0002');
  const last = { ...(await readProject(directory)), campaign: 'last-week' };
  const there = await connectClient(async () => ({ ...lab, project: last }));
  expect(
    (await callTool(there, 'record_decision', { experiment_id: 'exp-0002', decision: 'keep', reason: 'best' })).error,
  ).toContain('exp-0002 was imported, and nobody knows its code.');
  const { contents } = await there.readResource({ uri: 'autoresearch://experiments/exp-0002/diff' });
  expect(contents).toMatchObject([{ text: 'Imported from results.tsv: its code is not known.\n' }]);
});

it('refuses to mix imported runs with this campaign’s own, and a name that is none', async () => {
  const { file, run } = await project();
  expect(await run('import', file, '--campaign', 'test')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('Campaign test is for runs of this server'),
  });
  expect((await run('import', file, '--campaign', '../x')).stderr).toContain('Expected lower-case letters');
  expect((await run('import', `${file}.gone`)).stderr).toContain('cannot be read');
});

it('exports what ended, to the screen or a file, in the columns that an import reads', async () => {
  const { lab, directory, run, client } = await project();
  await callTool(client, 'launch_wave', { experiments: [{ description: 'deeper', overrides: { DEPTH: 12 } }] });
  await lab.sleep(700_000);
  await callTool(client, 'fetch_result', { wave_id: 'wave-001' });
  const { stdout } = await run('export');
  expect(stdout.split('\n')[0]).toBe('experiment_id\tstatus\tval_bpb\tmemory_gb\tdescription');
  expect(stdout).toContain('exp-0002\tdiscard\t1.000000\t44.0\tdeeper\n');
  const out = join(directory, 'out.tsv');
  expect((await run('export', '--out', out)).stdout).toBe(`2 runs in ${out}.\n`);
  expect(readFileSync(out, 'utf8')).toBe(stdout);
  expect((await run('export', '--out', join(out, 'x'))).stderr).toContain('cannot be written');
});
