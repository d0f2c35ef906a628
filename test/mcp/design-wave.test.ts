import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCampaign } from '../../src/lab/lab.js';
import { aliasingLab } from '../support/aliasing-lab.js';
import { callTool, connectClient } from '../support/client.js';
import { createTestLab } from '../support/test-lab.js';
import { after } from '../support/waves.js';

const FILES = {
  'train.py': 'A = 0\nB = 0\nC = 0\nD = 0\nE = 0\nprint("---")\n',
  'autoresearch.yaml': 'campaign: test\nprices: { simulated: 0, H100: 3.6 }\nlimits: { max_clusters: 2 }\n',
};
const TWO = [1, 2];
const HALF = { kind: 'fractional_factorial', size: 8, factors: { A: TWO, B: TWO, C: TWO, D: TWO } };

it('shows a fraction: its runs, what it cannot tell apart, minutes and dollars, and writes nothing', async () => {
  const { lab, directory } = await createTestLab({ clusters: 2, accelerators: 'H100:1', files: FILES });
  const client = await connectClient(async () => lab);
  expect(await callTool(client, 'design_wave', { design: HALF })).toMatchInlineSnapshot(`
    {
      "structured": {
        "aliases": [
          "A = B×C×D",
          "B = A×C×D",
          "C = A×B×D",
          "D = A×B×C",
          "A×B = C×D",
          "A×C = B×D",
          "A×D = B×C",
        ],
        "clusters": {
          "gpu-01": 5,
          "gpu-02": 4,
        },
        "generators": [
          "D = A×B×C",
        ],
        "minutes": 50,
        "notes": [
          "What the clusters differ by cannot be told from B×C.",
          "No run has ended yet: minutes and dollars are for runs as long as they may take.",
        ],
        "resolution": 4,
        "runs": [
          "A=1 B=1 C=1 D=1",
          "A=1 B=1 C=2 D=2",
          "A=1 B=2 C=1 D=2",
          "A=1 B=2 C=2 D=1",
          "A=2 B=1 C=1 D=2",
          "A=2 B=1 C=2 D=1",
          "A=2 B=2 C=1 D=1",
          "A=2 B=2 C=2 D=2",
        ],
        "sentinels": 0,
        "separates": "Main effects are told apart from each other and from two-factor interactions. Two-factor interactions are mixed with each other (see aliases).",
        "total_runs": 9,
        "usd": 6.6,
      },
      "text": "fractional_factorial: 8 points, 9 runs to launch. Main effects are told apart from each other and from two-factor interactions. Two-factor interactions are mixed with each other (see aliases). 50 min, $6.60. What the clusters differ by cannot be told from B×C. No run has ended yet: minutes and dollars are for runs as long as they may take.",
    }
  `);
  expect(existsSync(join(directory, '.autoresearch'))).toBe(false);
});

it('plans what launch_wave then does, sentinels and clusters included', async () => {
  const { lab } = await createTestLab({ clusters: 2, accelerators: 'H100:1', files: FILES });
  const client = await connectClient(async () => lab);
  const first = { design: { factors: { E: TWO } } };
  await callTool(client, 'launch_wave', first);
  await after(lab, 5000);
  const { structured } = await callTool(client, 'design_wave', { design: HALF });
  expect(structured).toMatchObject({
    total_runs: 10,
    sentinels: 2,
    clusters: { 'gpu-01': 5, 'gpu-02': 5 },
    minutes: 25,
  });
  const launched = await callTool(client, 'launch_wave', { design: HALF });
  expect(launched).toMatchInlineSnapshot(`
    {
      "structured": {
        "clusters": [
          "gpu-01",
          "gpu-02",
        ],
        "experiment_ids": [
          "exp-0004",
          "exp-0005",
          "exp-0006",
          "exp-0007",
          "exp-0008",
          "exp-0009",
          "exp-0010",
          "exp-0011",
          "exp-0012",
          "exp-0013",
        ],
        "notes": [
          "Sentinels: exp-0006 on gpu-01, exp-0011 on gpu-02.",
          "Main effects are told apart from each other and from two-factor interactions. Two-factor interactions are mixed with each other (see aliases).",
          "Aliases: A = B×C×D; B = A×C×D; C = A×B×D; D = A×B×C; 3 more.",
          "What the clusters differ by cannot be told from B×C.",
        ],
        "projected_usd": 3,
        "wave_id": "wave-002",
      },
      "text": "wave-002: 10 experiments (exp-0004…exp-0013) on gpu-01, gpu-02. Reckon with $3.00, idle minutes included. Sentinels: exp-0006 on gpu-01, exp-0011 on gpu-02. Main effects are told apart from each other and from two-factor interactions. Two-factor interactions are mixed with each other (see aliases). Aliases: A = B×C×D; B = A×C×D; C = A×B×D; D = A×B×C; 3 more. What the clusters differ by cannot be told from B×C.",
    }
  `);
  const again = await callTool(client, 'design_wave', { design: HALF });
  expect(again).toMatchInlineSnapshot(`
    {
      "structured": {
        "aliases": [
          "A = B×C×D",
          "B = A×C×D",
          "C = A×B×D",
          "D = A×B×C",
          "A×B = C×D",
          "A×C = B×D",
          "A×D = B×C",
        ],
        "generators": [
          "D = A×B×C",
        ],
        "resolution": 4,
        "runs": [
          "A=1 B=1 C=1 D=1 (run before: exp-0010 queued)",
          "A=1 B=1 C=2 D=2 (run before: exp-0013 queued)",
          "A=1 B=2 C=1 D=2 (run before: exp-0009 queued)",
          "A=1 B=2 C=2 D=1 (run before: exp-0008 queued)",
          "A=2 B=1 C=1 D=2 (run before: exp-0004 queued)",
          "A=2 B=1 C=2 D=1 (run before: exp-0005 queued)",
          "A=2 B=2 C=1 D=1 (run before: exp-0012 queued)",
          "A=2 B=2 C=2 D=2 (run before: exp-0007 queued)",
        ],
        "sentinels": 0,
        "separates": "Main effects are told apart from each other and from two-factor interactions. Two-factor interactions are mixed with each other (see aliases).",
        "total_runs": 0,
      },
      "text": "fractional_factorial: 8 points, 0 runs to launch; 8 run before. Main effects are told apart from each other and from two-factor interactions. Two-factor interactions are mixed with each other (see aliases).",
    }
  `);
});

it('points out levels that earlier runs showed to be one model, before money is spent', async () => {
  const { lab } = await aliasingLab();
  const client = await connectClient(async () => lab);
  await callTool(client, 'launch_wave', { design: { kind: 'one_factor', factors: { ASPECT_RATIO: [72, 80] } } });
  await after(lab, 5000);
  const design = { factors: { ASPECT_RATIO: [64, 72, 80], LEARNING_RATE: [0.04, 0.1] } };
  expect(await callTool(client, 'design_wave', { design })).toMatchInlineSnapshot(`
    {
      "structured": {
        "clusters": {
          "gpu-01": 2,
          "gpu-02": 1,
        },
        "minutes": 2,
        "notes": [
          "ASPECT_RATIO 72 and 80 are one model (exp-0003, exp-0002 printed the same Model config).",
          "In part confounded with the machines: ASPECT_RATIO (r 0.50), LEARNING_RATE (r 0.50).",
        ],
        "runs": [
          "ASPECT_RATIO=64 LEARNING_RATE=0.04 (the incumbent: its sentinel)",
          "ASPECT_RATIO=64 LEARNING_RATE=0.1",
          "ASPECT_RATIO=72 LEARNING_RATE=0.04 (run before: exp-0003 0.98)",
          "ASPECT_RATIO=72 LEARNING_RATE=0.1",
          "ASPECT_RATIO=80 LEARNING_RATE=0.04 (run before: exp-0002 0.98)",
          "ASPECT_RATIO=80 LEARNING_RATE=0.1 (same as ASPECT_RATIO=72 LEARNING_RATE=0.1, another ASPECT_RATIO is the same model: exp-0003 and exp-0002 printed one Model config)",
        ],
        "sentinels": 1,
        "separates": "Every combination runs: all main effects and interactions can be told apart.",
        "total_runs": 3,
      },
      "text": "full_factorial: 6 points, 3 runs to launch, 1 of them sentinels; 3 run before. Every combination runs: all main effects and interactions can be told apart. 2 min. ASPECT_RATIO 72 and 80 are one model (exp-0003, exp-0002 printed the same Model config). In part confounded with the machines: ASPECT_RATIO (r 0.50), LEARNING_RATE (r 0.50).",
    }
  `);
  expect(await callTool(client, 'launch_wave', { design })).toMatchInlineSnapshot(`
    {
      "structured": {
        "clusters": [
          "gpu-01",
          "gpu-02",
        ],
        "duplicates": [
          {
            "description": "ASPECT_RATIO=72 LEARNING_RATE=0.04",
            "experiment_id": "exp-0003",
            "state": "done",
            "value": 0.98,
          },
          {
            "description": "ASPECT_RATIO=80 LEARNING_RATE=0.04",
            "experiment_id": "exp-0002",
            "state": "done",
            "value": 0.98,
          },
          {
            "description": "ASPECT_RATIO=80 LEARNING_RATE=0.1",
            "experiment_id": "exp-0005",
            "state": "planned",
            "why": "another ASPECT_RATIO is the same model: exp-0003 and exp-0002 printed one Model config",
          },
        ],
        "experiment_ids": [
          "exp-0004",
          "exp-0005",
          "exp-0006",
        ],
        "notes": [
          "Sentinels: exp-0006 on gpu-01.",
        ],
        "wave_id": "wave-002",
      },
      "text": "wave-002: 3 experiments (exp-0004…exp-0006) on gpu-01, gpu-02. 3 were run before: see duplicates. Sentinels: exp-0006 on gpu-01.",
    }
  `);
});

it('says that launch_wave would refuse it, and shows the design all the same', async () => {
  const { lab } = await createTestLab({
    clusters: 2,
    accelerators: 'H100:1',
    files: { ...FILES, 'autoresearch.yaml': 'campaign: test\nprices: { H100: 3.6 }\nlimits: { max_cost_usd: 1 }\n' },
  });
  const client = await connectClient(async () => lab);
  const { structured, text } = await callTool(client, 'design_wave', { design: HALF });
  expect(structured).toMatchObject({ total_runs: 0, separates: expect.stringContaining('Main effects') });
  expect(text).toContain('launch_wave would refuse it: limits.max_cost_usd is $1.00');
  expect((await readCampaign(lab)).fleet).toEqual([]);
});

it('refuses a design that is none, and a level that train.py has no constant for', async () => {
  const { lab } = await createTestLab({ files: FILES });
  const client = await connectClient(async () => lab);
  expect(await callTool(client, 'design_wave', { design: { factors: { A: 3 } } })).toEqual({
    error: expect.stringContaining('design: Expected a design as launch_wave takes it'),
  });
  expect(await callTool(client, 'design_wave', { design: { factors: { AA: TWO } } })).toEqual({
    error: expect.stringContaining('train.py has no top-level constant AA.'),
  });
  // As some agents send it.
  expect(await callTool(client, 'design_wave', { design: JSON.stringify({ factors: { A: TWO } }) })).toMatchObject({
    structured: { runs: ['A=1', 'A=2'], total_runs: 3 },
  });
});
