import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { callTool, connectClient } from '../support/client.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { TRAIN_PY } from '../support/simulated-lab.js';
import { createTestLab } from '../support/test-lab.js';
import { after } from '../support/waves.js';

it('launches a design, waits for it and shows every result once', async () => {
  const values: Record<string, number> = {
    'exp-0001': 0.97,
    'exp-0002': 0.99,
    'exp-0003': 0.96,
    'exp-0004': 0.98,
    'exp-0005': 0.95,
  };
  const { lab } = await createTestLab({
    clusters: 2,
    run: (task) => ({ seconds: 60, log: wrapperLine(task) + summaryBlock(values[task.name] ?? 1) }),
  });
  const client = await connectClient(async () => lab);
  expect(
    await callTool(client, 'launch_wave', { design: { factors: { LEARNING_RATE: [0.02, 0.08], DEPTH: [4, 8] } } }),
  ).toMatchInlineSnapshot(`
    {
      "structured": {
        "clusters": [
          "gpu-01",
          "gpu-02",
        ],
        "experiment_ids": [
          "exp-0001",
          "exp-0002",
          "exp-0003",
          "exp-0004",
          "exp-0005",
        ],
        "notes": [
          "exp-0001 is the unchanged base.",
          "What the clusters differ by cannot be told from LEARNING_RATE×DEPTH.",
        ],
        "wave_id": "wave-001",
      },
      "text": "wave-001: 5 experiments (exp-0001…exp-0005) on gpu-01, gpu-02. exp-0001 is the unchanged base. What the clusters differ by cannot be told from LEARNING_RATE×DEPTH.",
    }
  `);
  expect(await callTool(client, 'fetch_result', { wave_id: 'wave-001', wait_seconds: 50 })).toMatchInlineSnapshot(`
    {
      "structured": {
        "ended": 0,
        "total": 5,
      },
      "text": "0/5 ended.",
    }
  `);
  for (let call = 0; call < 4; call++)
    await callTool(client, 'fetch_result', { wave_id: 'wave-001', wait_seconds: 50 });
  expect(await callTool(client, 'fetch_result', { wave_id: 'wave-001' })).toMatchInlineSnapshot(`
    {
      "structured": {
        "ended": 5,
        "experiments": [
          {
            "description": "baseline: the unchanged base",
            "experiment_id": "exp-0001",
            "metrics": {
              "val_bpb": 0.97,
            },
            "state": "done",
            "verdict": null,
          },
          {
            "delta": 0.02,
            "description": "LEARNING_RATE=0.02 DEPTH=8",
            "experiment_id": "exp-0002",
            "metrics": {
              "val_bpb": 0.99,
            },
            "state": "done",
            "verdict": null,
          },
          {
            "delta": -0.01,
            "description": "LEARNING_RATE=0.02 DEPTH=4",
            "experiment_id": "exp-0003",
            "metrics": {
              "val_bpb": 0.96,
            },
            "state": "done",
            "verdict": null,
          },
          {
            "delta": 0.01,
            "description": "LEARNING_RATE=0.08 DEPTH=4",
            "experiment_id": "exp-0004",
            "metrics": {
              "val_bpb": 0.98,
            },
            "state": "done",
            "verdict": null,
          },
          {
            "delta": -0.02,
            "description": "LEARNING_RATE=0.08 DEPTH=8",
            "experiment_id": "exp-0005",
            "metrics": {
              "val_bpb": 0.95,
            },
            "state": "done",
            "verdict": null,
          },
        ],
        "total": 5,
      },
      "text": "5 with a result. Best val_bpb: exp-0005 0.950000, exp-0003 0.960000, exp-0001 0.970000, exp-0004 0.980000, exp-0002 0.990000. Best − incumbent exp-0001 = −0.02000; without a noise floor that is no win yet.",
    }
  `);
  expect(await callTool(client, 'campaign_status', {})).toMatchInlineSnapshot(`
    {
      "structured": {
        "best": {
          "delta": -0.02,
          "description": "LEARNING_RATE=0.08 DEPTH=8",
          "experiment_id": "exp-0005",
          "metrics": {
            "val_bpb": 0.95,
          },
          "state": "done",
          "verdict": null,
        },
        "busy_share": 0.826,
        "campaign": "test",
        "clusters": {
          "gpu-01": "up 0+0",
          "gpu-02": "up 0+0",
        },
        "cost": {
          "unknown": "2 of 2 clusters have no price",
        },
        "counts": {
          "done": 5,
        },
        "cursor": 1800000181587,
        "experiments_per_hour": 100,
        "finished": [
          "exp-0001",
          "exp-0002",
          "exp-0003",
          "exp-0004",
          "exp-0005",
        ],
        "incumbent": {
          "description": "baseline: the unchanged base",
          "experiment_id": "exp-0001",
          "metrics": {
            "val_bpb": 0.97,
          },
          "state": "done",
          "verdict": null,
        },
        "metric": "minimize val_bpb",
        "next": "All have ended, and clusters idle: launch the next wave, or teardown.",
        "noise": null,
        "one_gpu_hours": 0.08,
        "queue_dry_in_seconds": 0,
      },
      "text": "test: best val_bpb 0.95 (exp-0005, −0.02000 against the incumbent). All have ended, and clusters idle: launch the next wave, or teardown.",
    }
  `);
});

it('refuses a fraction that there is not, and launches a sweep, which leaves what it does not sweep as it is', async () => {
  const { lab } = await createTestLab({
    clusters: 2,
    run: (task) => ({ seconds: 60, log: wrapperLine(task) + summaryBlock(0.98) }),
  });
  const client = await connectClient(async () => lab);
  const launch = (design: object) => callTool(client, 'launch_wave', { design });
  const factors = {
    LEARNING_RATE: { low: 0.02, high: 0.1, scale: 'log' },
    DEPTH: [4, 8],
    WIDTH: { levels: { a: {}, b: { overrides: { NAME: 'b' } } } },
  };
  expect(await launch({ kind: 'fractional_factorial', factors, size: 5 })).toEqual({
    error: 'invalid_input: There is no fraction of 3 two-level factors in 5 runs. Sizes for 3 factors: 4.',
  });
  expect(await launch({ kind: 'fractional_factorial', factors: { ...factors, DEPTH: { low: 4 } } })).toMatchObject({
    error: expect.stringContaining('design.factors.DEPTH: Expected a list of levels'),
  });
  await launch({ kind: 'one_factor', factors: { LEARNING_RATE: factors.LEARNING_RATE, DEPTH: [16] } });
  const waves = await lab.store.waves();
  expect(waves.map(({ wave }) => [wave.kind, wave.factors])).toEqual([
    ['one_factor', { LEARNING_RATE: [0.02, 0.0447, 0.1], DEPTH: [16] }],
  ]);
  const runs = Object.values(waves[0]?.experiments ?? {}).filter(({ isBaseline }) => !isBaseline);
  expect(runs.map(({ overrides, levels }) => [overrides, levels])).toEqual(
    // In the order in which they run, shuffled.
    [{ LEARNING_RATE: 0.02 }, { LEARNING_RATE: 0.0447 }, { DEPTH: 16 }, { LEARNING_RATE: 0.1 }].map((one) => [
      one,
      one,
    ]),
  );
});

it('refuses alone what was run before, a comment aside, and runs it once more on purpose', async () => {
  const { lab, directory } = await createTestLab({
    clusters: 1,
    run: (task) => ({ seconds: 60, log: wrapperLine(task) + summaryBlock(0.98) }),
  });
  const client = await connectClient(async () => lab);
  const faster = { description: 'faster', overrides: { LEARNING_RATE: 0.08 } };
  await callTool(client, 'launch_experiment', faster);
  await after(lab, 1000);
  writeFileSync(join(directory, 'train.py'), TRAIN_PY.replace('# step size', '# of Adam'));
  expect(await callTool(client, 'launch_experiment', faster)).toMatchInlineSnapshot(`
    {
      "error": "duplicate: exp-0001 runs or ran this code: done, val_bpb 0.98. Call fetch_result for it, change something, or ask for one more run on purpose: replicate_of: exp-0001.",
    }
  `);
  expect(
    await callTool(client, 'launch_experiment', { description: 'again', replicate_of: 'exp-0001' }),
  ).toMatchInlineSnapshot(`
    {
      "structured": {
        "clusters": [
          "gpu-01",
        ],
        "experiment_ids": [
          "exp-0002",
        ],
        "wave_id": "wave-002",
      },
      "text": "wave-002: 1 experiment (exp-0002) on gpu-01.",
    }
  `);
});
