import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../src/store/store.js';
import { callTool, connectClient } from '../support/client.js';
import { createTestLab } from '../support/test-lab.js';

it('writes a note with its evidence into the notebook, where the next campaign reads it', async () => {
  const { lab, directory } = await createTestLab();
  const client = await connectClient(async () => lab);
  await callTool(client, 'launch_wave', { experiments: [{ description: 'deeper', overrides: { DEPTH: 12 } }] });
  const note = (args: object) => callTool(client, 'record_finding', { ...args });
  expect(
    await note({ text: 'The loader is the limit.', experiment_ids: ['exp-0001', 'exp-0002'] }),
  ).toMatchInlineSnapshot(`
    {
      "structured": {
        "finding_id": "finding-001",
      },
      "text": "finding-001.",
    }
  `);
  expect(await note({ text: 'It is not: the evaluation is.', refutes: 'finding-001' })).toMatchInlineSnapshot(`
    {
      "structured": {
        "finding_id": "finding-002",
      },
      "text": "finding-002, which refutes finding-001.",
    }
  `);
  const { contents } = await client.readResource({ uri: 'autoresearch://findings' });
  const file = readFileSync(join(directory, '.autoresearch', 'findings.md'), 'utf8');
  expect(contents).toMatchObject([{ mimeType: 'text/markdown', text: file }]);
  expect(file).toMatch(/\*\*finding-002\*\*: It is not: the evaluation is\. .* Replaces finding-001\.\n/);
  expect(file).toMatch(
    /finding-001: ~~The loader is the limit\.~~ \(n = 2; exp-0001, exp-0002; .*\) Replaced by finding-002\./,
  );
  const another = await openStore(join(directory, '.autoresearch'), lab.now).findings();
  expect(another.map(({ id, by, n }) => [id, by, n])).toEqual([
    ['finding-001', 'agent', 2],
    ['finding-002', 'agent', null],
  ]);
});

it('refuses evidence that there is none of, and refutes nothing twice', async () => {
  const { lab } = await createTestLab();
  const client = await connectClient(async () => lab);
  const note = (args: object) => callTool(client, 'record_finding', { text: 'so it is', ...args });
  expect((await note({ experiment_ids: ['exp-0042'] })).error).toContain('There is no exp-0042.');
  expect((await note({ refutes: 'finding-007' })).error).toContain('There is no finding-007.');
  await note({});
  await note({ refutes: 'finding-001' });
  expect((await note({ refutes: 'finding-001' })).error).toContain('refuted before, by finding-002');
  expect(await lab.store.findings()).toHaveLength(2);
});
