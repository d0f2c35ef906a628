import { expect, it } from 'vitest';
import { advance } from '../../src/lab/advance.js';
import { callTool, connectClient } from '../support/client.js';
import { hanging } from '../support/hanging.js';
import { createTestLab } from '../support/test-lab.js';

it('lists clusters by accelerator with what runs and waits, and what could still be launched', async () => {
  const { lab } = await createTestLab({
    clusters: 3,
    files: { 'autoresearch.yaml': 'campaign: test\nlimits: { max_clusters: 2 }\n' },
  });
  const client = await connectClient(async () => lab);
  expect(await callTool(client, 'list_clusters_by_gpu', { include_offers: true })).toMatchInlineSnapshot(`
    {
      "structured": {
        "accelerators": {},
        "offers": [
          {
            "accelerators": "H100:1",
            "free": 3,
          },
        ],
        "room": 2,
      },
      "text": "No clusters are up. launch_wave launches what it needs.",
    }
  `);
  await callTool(client, 'launch_wave', { design: { factors: { DEPTH: [2, 4, 6] } } });
  await lab.sleep(100_000);
  expect(await callTool(client, 'list_clusters_by_gpu', { include_offers: true })).toMatchInlineSnapshot(`
    {
      "structured": {
        "accelerators": {
          "H100:1": [
            {
              "cluster": "gpu-01",
              "idle_in_seconds": 500,
              "running": 1,
              "state": "up",
              "waiting": 1,
            },
            {
              "cluster": "gpu-02",
              "idle_in_seconds": 500,
              "running": 1,
              "state": "up",
              "waiting": 1,
            },
          ],
        },
        "offers": [
          {
            "accelerators": "H100:1",
            "free": 1,
          },
        ],
        "room": 0,
      },
      "text": "H100:1: gpu-01 up, 1 running, 1 waiting, gpu-02 up, 1 running, 1 waiting",
    }
  `);
});

it('queues on a cluster that is up, and on no other', async () => {
  const { lab } = await createTestLab({ clusters: 2 });
  const client = await connectClient(async () => lab);
  const experiments = [3, 5].map((depth) => ({ description: `depth ${depth}`, overrides: { DEPTH: depth } }));
  expect(await callTool(client, 'queue_on_cluster', { cluster: 'gpu-01', experiments })).toMatchInlineSnapshot(`
    {
      "error": "not_ours: gpu-01 is no cluster of campaign test. It has none now: launch_wave launches what it needs.",
    }
  `);
  await callTool(client, 'launch_experiment', { description: 'as it is' });
  expect(await callTool(client, 'queue_on_cluster', { cluster: 'gpu-01', experiments })).toMatchInlineSnapshot(`
    {
      "structured": {
        "clusters": [
          "gpu-01",
        ],
        "experiment_ids": [
          "exp-0002",
          "exp-0003",
        ],
        "wave_id": "wave-002",
      },
      "text": "wave-002: 2 experiments (exp-0002, exp-0003) on gpu-01.",
    }
  `);
});

it('says in a dry run what would end, then ends it', async () => {
  const { lab } = await createTestLab({ clusters: 2 });
  const client = await connectClient(async () => lab);
  await callTool(client, 'launch_wave', { design: { factors: { DEPTH: [2, 4, 6] } } });
  expect(await callTool(client, 'teardown', { all: true, dry_run: true })).toMatchInlineSnapshot(`
    {
      "structured": {
        "cancelled": [
          "exp-0001",
          "exp-0002",
          "exp-0003",
          "exp-0004",
        ],
        "clusters": [
          "gpu-01",
          "gpu-02",
        ],
        "dry_run": true,
      },
      "text": "gpu-01, gpu-02 would end; exp-0001…exp-0004 would be cancelled.",
    }
  `);
  expect(await callTool(client, 'teardown', { all: true })).toMatchInlineSnapshot(`
    {
      "structured": {
        "cancelled": [
          "exp-0001",
          "exp-0002",
          "exp-0003",
          "exp-0004",
        ],
        "clusters": [
          "gpu-01",
          "gpu-02",
        ],
        "dry_run": false,
      },
      "text": "gpu-01, gpu-02 ended; exp-0001…exp-0004 cancelled.",
    }
  `);
  expect(await callTool(client, 'teardown', { all: true })).toMatchInlineSnapshot(`
    {
      "structured": {
        "cancelled": [],
        "clusters": [],
        "dry_run": false,
      },
      "text": "No cluster ended; nothing was running there.",
    }
  `);
});

it('cancels what waits and what runs', async () => {
  const { lab } = await createTestLab({ clusters: 1 });
  const client = await connectClient(async () => lab);
  await callTool(client, 'launch_wave', { design: { factors: { DEPTH: [2, 4] } } });
  expect(
    await callTool(client, 'cancel_experiments', { experiment_ids: ['exp-0002', 'exp-0003'] }),
  ).toMatchInlineSnapshot(`
    {
      "structured": {
        "cancelled": [
          "exp-0002",
          "exp-0003",
        ],
        "ended_before": [],
      },
      "text": "Cancelled: exp-0002, exp-0003.",
    }
  `);
});

it('says of a cancellation whose jobs are not gone after the longest wait that they are still ending', async () => {
  const slow = hanging('cancel');
  const { lab } = await createTestLab({ clusters: 1, before: slow.before });
  await callTool(await connectClient(async () => lab), 'launch_wave', { design: { factors: { DEPTH: [2, 4] } } });
  slow.begin();
  const client = await connectClient(async () => ({ ...lab, within: async () => undefined }));
  expect(await callTool(client, 'cancel_experiments', { experiment_ids: ['exp-0002'] })).toMatchInlineSnapshot(`
    {
      "structured": {
        "cancelled": [
          "exp-0002",
        ],
        "ended_before": [],
        "still_ending": true,
      },
      "text": "Cancelled: exp-0002. Some of their jobs are not gone yet; nothing more need be done.",
    }
  `);
  slow.end();
});

it('tells a client that asked how far a wait is, and ends the wait when the client gives up', async () => {
  const { lab } = await createTestLab({ clusters: 1 });
  const client = await connectClient(async () => lab);
  await callTool(client, 'launch_wave', { design: { factors: { DEPTH: [2, 4] } } });
  await lab.sleep(299_000);
  const progress: unknown[] = [];
  await client.callTool({ name: 'fetch_result', arguments: { wave_id: 'wave-001', wait_seconds: 50 } }, undefined, {
    onprogress: (step) => progress.push(step),
  });
  expect(progress).toEqual([
    { progress: 0, total: 3, message: '0 of 3 have ended' },
    { progress: 1, total: 3, message: '1 of 3 have ended' },
  ]);
  const giveUp = new AbortController();
  const waiting = client.callTool(
    { name: 'fetch_result', arguments: { wave_id: 'wave-001', wait_seconds: 50 } },
    undefined,
    {
      signal: giveUp.signal,
    },
  );
  giveUp.abort();
  await expect(waiting).rejects.toThrow();
  await advance(lab); // the round that was under way ends with it
});

it('says of a teardown which clusters are still going down after the longest wait', async () => {
  const slow = hanging('down');
  const { lab } = await createTestLab({ clusters: 1, before: slow.before });
  const client = await connectClient(async () => slow.impatient(lab));
  await callTool(client, 'launch_wave', { experiments: [{ description: 'a', overrides: { LEARNING_RATE: 0.1 } }] });
  slow.begin();
  expect(await callTool(client, 'teardown', { all: true })).toMatchInlineSnapshot(`
    {
      "structured": {
        "cancelled": [
          "exp-0001",
          "exp-0002",
        ],
        "clusters": [
          "gpu-01",
        ],
        "dry_run": false,
        "still_ending": [
          "gpu-01",
        ],
      },
      "text": "gpu-01 still going down; exp-0001, exp-0002 cancelled.",
    }
  `);
  slow.end();
  await advance(lab);
  expect(await callTool(client, 'list_clusters_by_gpu', {})).toMatchObject({ structured: { accelerators: {} } });
});
