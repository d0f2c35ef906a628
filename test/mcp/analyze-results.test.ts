import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { readExperiments } from '../../src/lab/lab.js';
import { callTool, connectClient } from '../support/client.js';
import { plantedLab, runWave } from '../support/planted-runs.js';

const Answer = z.object({
  ranking: z.array(z.object({ description: z.string(), verdict: z.string().optional() }).loose()),
  effects: z
    .object({
      errors_from: z.string(),
      rows: z.array(
        z.object({
          name: z.string(),
          estimate: z.number(),
          interval: z.tuple([z.number(), z.number()]),
          p: z.number(),
        }),
      ),
    })
    .optional(),
  verdicts: z.record(z.string(), z.number()),
});

it('finds a planted effect with its sign and interval on machines that differ by more, and calls nothing else one', async () => {
  const hosts = new Map([
    ['gpu-01', 0],
    ['gpu-02', 0.004],
  ]);
  // A learning rate of 0.08 is better by 0.002; depth does nothing; the second machine is worse by 0.004.
  const { lab } = await plantedLab(
    ({ overrides, cluster }, noise) => ({
      value: 1 - (overrides['LEARNING_RATE'] === 0.08 ? 0.002 : 0) + (hosts.get(cluster ?? '') ?? 0) + 1.5e-4 * noise,
    }),
    { clusters: 2 },
  );
  const client = await connectClient(async () => lab);
  const wave = { design: { factors: { LEARNING_RATE: [0.02, 0.08], DEPTH: [6, 10] } }, replicates: 4 };
  const wave_id = await runWave(client, 'launch_wave', wave);
  await runWave(client, 'launch_wave', {
    experiments: Array.from({ length: 6 }, () => ({ description: 'sentinel', replicate_of: 'exp-0001' })),
  });
  const answer = await callTool(client, 'analyze_results', { wave_id });
  const { effects, ranking } = Answer.parse(answer.structured);
  const effect = (name: string) => effects?.rows.find((row) => row.name === name);
  const [low = 0, high = 0] = effect('LEARNING_RATE')?.interval ?? [];
  expect(low).toBeLessThan(-0.002);
  expect(high).toBeGreaterThan(-0.002);
  expect(high).toBeLessThan(0);
  for (const name of ['DEPTH', 'LEARNING_RATE×DEPTH']) expect(effect(name)?.p).toBeGreaterThan(0.01);
  for (const { description, verdict } of ranking) {
    expect([description, verdict === 'win']).toEqual([description, description.includes('0.08')]);
  }
  expect(answer).toMatchInlineSnapshot(`
    {
      "structured": {
        "candidates": 4,
        "effects": {
          "errors_from": "noise_floor",
          "machines": "block_terms",
          "n": 26,
          "rows": [
            {
              "estimate": -0.00188,
              "interval": [
                -0.00201,
                -0.00175,
              ],
              "name": "LEARNING_RATE",
              "p": 3.15e-18,
            },
            {
              "estimate": 0.0000604,
              "interval": [
                -0.0000686,
                0.000189,
              ],
              "name": "DEPTH",
              "p": 0.341,
            },
            {
              "estimate": -0.0000324,
              "interval": [
                -0.00024,
                0.000176,
              ],
              "name": "LEARNING_RATE×DEPTH",
              "p": 0.748,
            },
          ],
          "wave_id": "wave-001",
        },
        "experiments": 20,
        "hardware": {
          "rows": [
            {
              "accelerator": "H100:1",
              "n": 26,
              "offset": 0,
              "step_ms": 315,
              "steps": 953,
            },
          ],
        },
        "incumbent": {
          "adjusted": 1.001977,
          "experiment_id": "exp-0001",
          "n": 10,
          "raw": 1.001977,
        },
        "machines": {
          "blocks": 2,
          "offsets": "unshrunk",
          "sd_between": 0.00286,
        },
        "noise": {
          "df": 20,
          "effective_df": 20,
          "sd": 0.000124,
        },
        "phases": [
          {
            "best": 1.000099,
            "experiments": 26,
            "gain": 0.001877,
            "gain_per_experiment": 0.0000722,
            "waves": "wave-001",
          },
        ],
        "ranking": [
          {
            "adjusted": 1.000093,
            "description": "LEARNING_RATE=0.08 DEPTH=6",
            "df": 20,
            "difference": -0.001885,
            "experiment_id": "exp-0005",
            "fdr_p": 1.33e-15,
            "n": 4,
            "p_better": 0.999,
            "raw": 1.002114,
            "shrunk": 1.000099,
            "verdict": "win",
          },
          {
            "adjusted": 1.000121,
            "description": "LEARNING_RATE=0.08 DEPTH=10",
            "df": 20,
            "difference": -0.001857,
            "experiment_id": "exp-0008",
            "fdr_p": 1.33e-15,
            "n": 4,
            "p_better": 0.999,
            "raw": 0.9981,
            "shrunk": 1.000127,
            "verdict": "win",
          },
          {
            "adjusted": 1.001943,
            "description": "LEARNING_RATE=0.02 DEPTH=6",
            "df": 20,
            "difference": -0.000034,
            "experiment_id": "exp-0006",
            "fdr_p": 0.455,
            "n": 4,
            "p_better": 0.659,
            "raw": 0.999922,
            "shrunk": 1.001939,
            "verdict": "tie",
          },
          {
            "adjusted": 1.002036,
            "description": "LEARNING_RATE=0.02 DEPTH=10",
            "df": 20,
            "difference": 0.000058,
            "experiment_id": "exp-0007",
            "fdr_p": 0.755,
            "n": 4,
            "p_better": 0.245,
            "raw": 1.004057,
            "shrunk": 1.002031,
            "verdict": "tie",
          },
        ],
        "results": 20,
        "retest": [],
        "selection": {
          "luck": 0.000127,
          "luck_raw": 0.00294,
          "real_at_fdr_10": 2,
        },
        "simpler_ties": [],
        "stopping": {
          "expected_gain": 0.00188,
          "stop": false,
          "threshold": 0.000124,
          "waves_below": 0,
        },
        "verdicts": {
          "loss": 0,
          "retest": 0,
          "tie": 2,
          "win": 2,
        },
      },
      "text": "20 of 20 with a result. Noise floor SD 0.000124 (df=20).
    Incumbent exp-0001 1.001977→1.001977 n=10. 4 candidates: 2 win, 2 tie, 0 loss, 0 retest. Best (raw→adjusted): exp-0005 1.002114→1.000093 n=4 P>0.99 win "LEARNING_RATE=0.08 DEPTH=6"; exp-0008 0.9981→1.000121 n=4 P>0.99 win "LEARNING_RATE=0.08 DEPTH=10"; exp-0006 0.999922→1.001943 n=4 P=0.66 tie "LEARNING_RATE=0.02 DEPTH=6"; exp-0007 1.004057→1.002036 n=4 P=0.24 tie "LEARNING_RATE=0.02 DEPTH=10".
    Luck alone would make the best of 4 look 0.00013 better, 0.0029 as printed. 2 would be real at a false discovery rate of 10 %.
    Effects in wave-001 (low to high, 95 %): LEARNING_RATE −0.00188 [-0.002, -0.0018]; DEPTH +0.00006 [-0.000069, 0.00019]; LEARNING_RATE×DEPTH −0.00003 [-0.00024, 0.00018].
    Gain by phase: to wave-001 0.001877 (0.000072 a run).
    Go on: the next wave is expected to gain 0.0019, against 0.00012 that would matter.",
    }
  `);
});

it('shows the verdict wherever a result is shown', async () => {
  const { lab } = await plantedLab(
    ({ overrides }, noise) => ({ value: 1 - (overrides['DEPTH'] === 6 ? 0.01 : 0) + 1e-4 * noise }),
    { clusters: 1 },
  );
  const client = await connectClient(async () => lab);
  await runWave(client, 'launch_wave', {
    experiments: [{ description: 'six layers', overrides: { DEPTH: 6 } }],
    replicates: 3,
  });
  const six = (await readExperiments(lab)).find(({ description }) => description === 'six layers');
  const { text, structured } = await callTool(client, 'fetch_result', { experiment_ids: [six?.id] });
  expect(text).toMatchInlineSnapshot(
    `"1 with a result. Best val_bpb: exp-0004 0.989940. Best − incumbent exp-0001 = −0.01009; P>0.99 win (n=3, df=4)."`,
  );
  expect(structured).toMatchObject({ experiments: [{ verdict: 'win', n: 3, df: 4 }] });
  const status = await callTool(client, 'campaign_status', {});
  expect(status.text).toMatchInlineSnapshot(
    `"test: best val_bpb 0.98994 (exp-0004, −0.01009 against the incumbent, P>0.99 win (n=3, df=4)). All have ended, and clusters idle: launch the next wave, or teardown."`,
  );
  expect(status.structured).toMatchObject({ noise: { df: 4 }, best: { verdict: 'win' } });
});

const Published = z.object({
  runs: z.array(z.object({ aspect_ratio: z.number(), val_bpb: z.number(), n_embd: z.number() })),
});
const PUBLISHED = Published.parse(
  JSON.parse(readFileSync(new URL('../fixtures/published/aspect-ratio-wave.json', import.meta.url), 'utf8')),
).runs;

it('reads the published wave: the optimum lies inside the range, and 72 is 80, 90 is 96', async () => {
  const { lab } = await plantedLab(
    ({ overrides }) => {
      const run = PUBLISHED.find(({ aspect_ratio }) => aspect_ratio === overrides['ASPECT_RATIO']);
      return { value: run?.val_bpb ?? 0.983, modelConfig: `{'n_layer': 8, 'n_embd': ${run?.n_embd ?? 512}}` };
    },
    { clusters: 7, files: { 'train.py': 'ASPECT_RATIO = 64\nDEPTH = 8\nprint("---")\n' } },
  );
  const client = await connectClient(async () => lab);
  const levels = PUBLISHED.map(({ aspect_ratio }) => aspect_ratio);
  const wave_id = await runWave(client, 'launch_wave', {
    design: { kind: 'one_factor', factors: { ASPECT_RATIO: levels } },
  });
  const answer = await callTool(client, 'analyze_results', { wave_id });
  expect(answer.structured).toMatchObject({
    trends: { rows: [{ factor: 'ASPECT_RATIO', shape: 'optimum_inside', best: 96 }] },
    aliases: {
      rows: [
        { constant: 'ASPECT_RATIO', levels: ['72', '80'] },
        { constant: 'ASPECT_RATIO', levels: ['90', '96'] },
      ],
    },
    // Seven machines, each with one run, and no noise floor: nothing is judged.
    verdicts: { win: 0, tie: 0, loss: 0, retest: 0 },
    noise: null,
  });
  expect(answer.text).toMatchInlineSnapshot(`
    "7 of 7 with a result. No noise floor: replicate something, or nothing can be called a win. 7 groups of machines share no configuration: run sentinels, or they cannot be compared.
    Incumbent exp-0002 0.982→0.982 n=1. 6 candidates, none judged. Best (raw→adjusted): exp-0007 0.977→0.977 n=1 "ASPECT_RATIO=96"; exp-0006 0.978→0.978 n=1 "ASPECT_RATIO=90"; exp-0003 0.979→0.979 n=1 "ASPECT_RATIO=80"; exp-0001 0.98→0.98 n=1 "ASPECT_RATIO=72"; exp-0005 0.984→0.984 n=1 "ASPECT_RATIO=112".
    ASPECT_RATIO: The optimum lies inside the range, near 96: refine there or go on to another factor.
    Same model under other names: ASPECT_RATIO 72=80, ASPECT_RATIO 90=96.
    Gain by phase: to wave-001 0.005 (0.00071 a run)."
  `);
  // The same, asked of the whole campaign.
  const campaign = await callTool(client, 'analyze_results', { factors: ['ASPECT_RATIO'] });
  expect(campaign.structured).toMatchObject({ trends: { rows: [{ shape: 'optimum_inside', best: 96 }] } });
});

it('advises to keep a tie with less code, and names where runs ran out of memory', async () => {
  const { lab } = await plantedLab(
    ({ overrides }, noise) => ({ value: overrides['DEPTH'] === 64 ? null : 1 + 1e-4 * noise }),
    { clusters: 1 },
  );
  const client = await connectClient(async () => lab);
  await runWave(client, 'launch_wave', {
    experiments: [
      { description: 'no betas', edits: [{ file: 'train.py', find: 'BETAS = (0.8, 0.95)\n', replace: '' }] },
      { description: 'deep', overrides: { DEPTH: 64 } },
    ],
  });
  const again = (of: string) => ({ description: 'again', replicate_of: of });
  await runWave(client, 'launch_wave', {
    experiments: ['exp-0001', 'exp-0001', 'exp-0001', 'exp-0002', 'exp-0002', 'exp-0002'].map(again),
  });
  const { text, structured } = await callTool(client, 'analyze_results', {});
  expect(structured).toMatchObject({
    verdicts: { tie: 1 },
    simpler_ties: [{ experiment_id: 'exp-0002', removed: 1, added: 0 }],
    crashes: { rows: [{ setting: 'DEPTH', level: '64', crashed: 1, ran: 0, causes: { out_of_memory: 1 } }] },
  });
  expect(text).toContain('Keep for simplicity, a tie with less code: exp-0002 (−1 +0 lines)');
});

it('says what was varied when asked for what was not, and which wave is the last', async () => {
  const { lab } = await plantedLab(() => ({ value: 1 }), { clusters: 1 });
  const client = await connectClient(async () => lab);
  expect(await callTool(client, 'analyze_results', {})).toMatchInlineSnapshot(`
    {
      "structured": {
        "candidates": 0,
        "experiments": 0,
        "machines": {
          "blocks": 0,
          "offsets": "none",
        },
        "noise": null,
        "ranking": [],
        "results": 0,
        "retest": [],
        "selection": {},
        "simpler_ties": [],
        "verdicts": {
          "loss": 0,
          "retest": 0,
          "tie": 0,
          "win": 0,
        },
      },
      "text": "0 of 0 with a result. No noise floor: replicate something, or nothing can be called a win.",
    }
  `);
  await runWave(client, 'launch_wave', { experiments: [{ description: 'six layers', overrides: { DEPTH: 6 } }] });
  expect(await callTool(client, 'analyze_results', { factors: ['DEPT'] })).toEqual({
    error: 'invalid_input: No experiment of this campaign has varied DEPT. Varied were: DEPTH.',
  });
  expect(await callTool(client, 'analyze_results', { wave_id: 'wave-009' })).toEqual({
    error: 'not_found: This campaign has no wave-009. Its last wave is wave-001.',
  });
});
