import { expect, it } from 'vitest';
import { readProject } from '../../src/store/read-project.js';
import { callTool, connectClient } from '../support/client.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab } from '../support/test-lab.js';

const VALUES: Record<string, number> = { 'exp-0001': 0.97, 'exp-0002': 0.99, 'exp-0003': 0.96, 'exp-0005': 0.95 };

/** A baseline, an override, one written as arithmetic, a crash and an edit that changes a constant. */
async function database() {
  const { lab } = await createTestLab({
    files: { 'train.py': 'BATCH = 2**18\nDEPTH = 8\nBETAS = (0.8, 0.95)\nprint("---")\n' },
    run: (task) => ({
      seconds: 60,
      log: wrapperLine(task) + (VALUES[task.name] ? summaryBlock(VALUES[task.name] ?? 0) : 'ValueError: no\n'),
      exitCode: VALUES[task.name] ? 0 : 1,
    }),
  });
  const client = await connectClient(async () => lab);
  await callTool(client, 'launch_wave', {
    experiments: [
      { description: 'half a batch', overrides: { BATCH: '2**17' } },
      { description: 'other betas', overrides: { BETAS: [0.9, 0.95] } },
      { description: 'deepest', overrides: { DEPTH: 48 } },
      { description: 'an edit', edits: [{ file: 'train.py', find: 'DEPTH = 8', replace: 'DEPTH = 4 * 3' }] },
    ],
  });
  await lab.sleep(100_000);
  return { lab, query: (args: object) => callTool(client, 'query_experiments', { ...args }) };
}

it('tells which levels of a constant were tried and what came of them, the base’s own among them', async () => {
  const { query } = await database();
  expect(await query({ group_by: 'DEPTH' })).toMatchInlineSnapshot(`
    {
      "structured": {
        "groups": [
          {
            "best": 0.96,
            "best_id": "exp-0003",
            "level": 8,
            "mean": 0.973333,
            "n": 3,
          },
          {
            "best": 0.95,
            "best_id": "exp-0005",
            "level": 12,
            "mean": 0.95,
            "n": 1,
          },
          {
            "crashes": 1,
            "level": 48,
            "n": 0,
          },
        ],
        "total": 5,
      },
      "text": "DEPTH, mean val_bpb over all else that differed: 8 0.973333 (n 3); 12 0.950000 (n 1); 48 − (n 0, 1 crashed).",
    }
  `);
  expect((await query({ group_by: 'BATCH' })).structured).toMatchObject({
    groups: [
      { level: 131_072, n: 1, best_id: 'exp-0002' },
      { level: 262_144, n: 3, crashes: 1 },
    ],
  });
});

it('finds runs by the values of their constants, wherever these stand', async () => {
  const { query } = await database();
  expect(await query({ where: { values: { DEPTH: { min: 10 } } }, order_by: 'DEPTH' })).toMatchInlineSnapshot(`
    {
      "structured": {
        "experiments": [
          {
            "description": "an edit",
            "experiment_id": "exp-0005",
            "value": 0.95,
            "values": {
              "DEPTH": 12,
            },
          },
          {
            "description": "deepest",
            "experiment_id": "exp-0004",
            "state": "crashed",
            "value": null,
            "values": {
              "DEPTH": 48,
            },
          },
        ],
        "total": 2,
      },
      "text": "2 runs: exp-0005 0.950000, exp-0004 crashed.",
    }
  `);
  const idsOf = async (values: object) =>
    JSON.stringify((await query({ where: { values } })).structured).match(/exp-\d+/g);
  expect(await idsOf({ BETAS: [0.9, 0.95] })).toEqual(['exp-0003']);
  expect(await idsOf({ BATCH: 131_072, DEPTH: 8 })).toEqual(['exp-0002']);
  expect(await idsOf({ DEPTH: [12, 48] })).toEqual(['exp-0005', 'exp-0004']);
});

it('pages through the best, with the fields asked for', async () => {
  const { query } = await database();
  const first = await query({ limit: 2, fields: ['wave_id', 'overrides'] });
  expect(first).toMatchInlineSnapshot(`
    {
      "structured": {
        "experiments": [
          {
            "experiment_id": "exp-0005",
            "overrides": {},
            "value": 0.95,
            "wave_id": "wave-001",
          },
          {
            "experiment_id": "exp-0003",
            "overrides": {
              "BETAS": [
                0.9,
                0.95,
              ],
            },
            "value": 0.96,
            "wave_id": "wave-001",
          },
        ],
        "next": 2,
        "total": 5,
      },
      "text": "1–2 of 5 runs: exp-0005 0.950000, exp-0003 0.960000. More from cursor 2.",
    }
  `);
  expect((await query({ limit: 2, cursor: 4 })).structured).toMatchObject({
    experiments: [{ experiment_id: 'exp-0004', state: 'crashed', value: null }],
  });
  expect((await query({ cursor: 50 })).text).toBe('5 match; none from 50 on.');
});

it('goes over all campaigns of the project', async () => {
  const { lab, query } = await database();
  await query({});
  const project = await readProject(lab.project.directory);
  const next = await connectClient(async () => ({ ...lab, project: { ...project, campaign: 'tomorrow' } }));
  expect(
    (await callTool(next, 'query_experiments', { where: { campaign: 'test' }, limit: 1 })).structured,
  ).toMatchObject({
    total: 5,
    experiments: [{ experiment_id: 'exp-0005', value: 0.95 }],
  });
});

it('answers a name that no run has with the nearest there are', async () => {
  const { query } = await database();
  expect(await query({ group_by: 'DEPHT' })).toMatchInlineSnapshot(`
    {
      "error": "not_found: No run has the constant or factor DEPHT. The nearest: DEPTH, BETAS, BATCH.",
    }
  `);
  expect((await query({ where: { campaign: 'tset' } })).error).toContain(
    'No run has the campaign tset. The nearest: test.',
  );
  expect((await query({ where: { wave_id: 'wave-009' } })).error).toContain('The nearest: wave-001.');
  expect((await query({ where: { depth: 8 } })).error).toContain('takes no depth');
});
