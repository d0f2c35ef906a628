import { expect, it } from 'vitest';
import { z } from 'zod';
import { readExperiments, readWaves } from '../../src/lab/lab.js';
import { callTool, connectClient } from '../support/client.js';
import { plantedLab, runWave } from '../support/planted-runs.js';

const RATES = [0.01, 0.02, 0.03, 0.05, 0.06, 0.07];

/** Rates below 0.04 are better by 0.002 on the screening machines; on the others 0.03 is worse instead. */
async function screened() {
  const { lab } = await plantedLab(
    ({ overrides, waveId }, noise) => {
      const rate = overrides['LEARNING_RATE'] ?? 0.04;
      const isValidated = waveId === 'wave-002';
      const gain = isValidated && rate === 0.03 ? -0.002 : Number(rate) < 0.04 ? 0.002 : 0;
      return { value: 1 - gain - (isValidated ? 0.005 : 0) + 1.5e-4 * noise };
    },
    { kinds: { 'H100:1': 1, 'H200:1': 1 }, capabilities: { choosesAccelerators: true } },
  );
  const client = await connectClient(async () => lab);
  await runWave(client, 'launch_wave', {
    experiments: RATES.map((rate) => ({ description: `rate ${rate}`, overrides: { LEARNING_RATE: rate } })),
    replicates: 2,
    tier: 'screen',
  });
  return { lab, client };
}

it('runs the best again on the tier with the incumbent as control, and the analysis says what held up', async () => {
  const { lab, client } = await screened();
  const wave_id = await runWave(client, 'promote', { k: 3 });
  const wave = (await readWaves(lab)).find((file) => file.wave.id === wave_id);
  expect(wave?.wave.accelerators).toEqual(['H200:1']);
  const promoted = (await readExperiments(lab)).filter(({ waveId }) => waveId === wave_id);
  const originals = new Map((await readExperiments(lab)).map((run) => [run.id, run]));
  const rates = promoted.map(({ replicateOf }) => (replicateOf ? originals.get(replicateOf)?.overrides : null));
  // Two runs of each of the three good rates, and two of the control, which changes nothing.
  expect(rates.map((overrides) => overrides?.['LEARNING_RATE'] ?? null).sort()).toEqual(
    [null, null, 0.01, 0.01, 0.02, 0.02, 0.03, 0.03].sort(),
  );
  const { structured, text } = await callTool(client, 'analyze_results', {});
  const bad = promoted.find(
    ({ replicateOf }) => replicateOf !== null && originals.get(replicateOf)?.overrides['LEARNING_RATE'] === 0.03,
  );
  expect(structured).toMatchObject({
    tiers: {
      compared: 'screen and validate',
      configs: 4,
      inversions: expect.arrayContaining([expect.arrayContaining([bad?.replicateOf])]),
    },
  });
  expect(text).toContain('Tiers screen and validate share 4 configurations');
  const outcomes = z
    .object({
      repetition: z.object({
        wave_id: z.string(),
        rows: z.array(z.object({ experiment_id: z.string(), outcome: z.string() }).loose()),
      }),
    })
    .parse(structured).repetition;
  expect(outcomes.wave_id).toBe(wave_id);
  for (const { experiment_id, outcome } of outcomes.rows) {
    expect([experiment_id, outcome]).toEqual([
      experiment_id,
      experiment_id === bad?.replicateOf ? 'fell_back' : 'held_up',
    ]);
  }
  expect(outcomes.rows).toHaveLength(3);
  expect(text).toMatch(
    /Run again in wave-002, by its own runs alone: exp-\d{4} (held up|fell back) \(−0\.00\d+ before, now /,
  );
});

it('answers with the wave, the estimates that chose it and the control', async () => {
  const { client } = await screened();
  expect(await callTool(client, 'promote', { k: 1, replicates: 1 })).toMatchInlineSnapshot(`
    {
      "structured": {
        "experiment_ids": [
          "exp-0015",
          "exp-0016",
        ],
        "notes": [
          "exp-0015 is the unchanged base.",
        ],
        "promoted": {
          "exp-0003": 0.997961,
        },
        "wave_id": "wave-002",
      },
      "text": "wave-002: 2 experiments (exp-0015, exp-0016) on gpu-02. exp-0015 is the unchanged base. Promoted: exp-0003 0.997961 P>0.99 win (n=2, df=7); control exp-0001.",
    }
  `);
});

it('refuses a tier that there is not, and a campaign with nothing to promote', async () => {
  const { lab } = await plantedLab(() => ({ value: 1 }), { clusters: 1 });
  const client = await connectClient(async () => lab);
  expect(await callTool(client, 'promote', { tier: 'final' })).toEqual({
    error: 'invalid_input: There is no tier final. Tiers of autoresearch.yaml: screen, validate.',
  });
  expect(await callTool(client, 'promote', {})).toEqual({
    error:
      'invalid_input: There is no incumbent with a result to be the control. Wait with fetch_result until the baseline has ended, or launch_wave.',
  });
});
