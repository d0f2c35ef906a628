import { expect, it } from 'vitest';
import { callTool, connectClient } from '../support/client.js';
import { plantedLab, runWave } from '../support/planted-runs.js';

/** Waves of one new rate each, twice; a rate gains its hundredfold in thousandths: 0.05 is better by 0.0005. */
async function campaign(settings: string, rates: readonly number[]) {
  const { lab } = await plantedLab(
    ({ overrides }, noise) => ({ value: 1 - Number(overrides['LEARNING_RATE'] ?? 0) / 100 + 1e-5 * noise }),
    { clusters: 1, files: { 'autoresearch.yaml': `campaign: test\n${settings}\n` } },
  );
  const client = await connectClient(async () => lab);
  for (const rate of rates) {
    const experiments = [{ description: `rate ${rate}`, overrides: { LEARNING_RATE: rate } }];
    await runWave(client, 'launch_wave', { experiments, replicates: 2 });
  }
  return client;
}

it('advises to stop after three waves below the smallest gain worth having, which noise alone would not have said', async () => {
  const rates = [0.3, 0.31, 0.32, 0.33];
  const asked = await callTool(await campaign('delta_min: 0.001', rates), 'analyze_results', {});
  expect(asked.structured).toMatchObject({ stopping: { threshold: 0.001, waves_below: 3, stop: true } });
  expect(asked.text).toMatch(
    /Stop, or search elsewhere: 3 waves in a row gained too little; the next wave is expected to gain 0\.0000\d+, against 0\.001 that would matter\.$/,
  );
  const unasked = await callTool(await campaign('', rates), 'analyze_results', {});
  expect(unasked.structured).toMatchObject({ stopping: { waves_below: 0, stop: false } });
});

it('goes on after two waves below, and says how many they were', async () => {
  const client = await campaign('delta_min: 0.001', [0.3, 0.31, 0.32]);
  expect((await callTool(client, 'analyze_results', {})).text).toContain('Go on, 2 of 3 waves below: the next wave');
});

it('says who reached the target, in the analysis and in the status', async () => {
  const client = await campaign('limits: { target: 0.9975 }', [0.2, 0.3]);
  const { structured, text } = await callTool(client, 'analyze_results', {});
  expect(structured).toMatchObject({ target: { target: 0.9975, reached_by: 'exp-0005', n: 2 } });
  expect(text).toMatch(/\nStop, limits\.target 0\.9975 is reached: exp-0005 is taken to score 0\.997\d* \(n=2\)/);
  expect((await callTool(client, 'campaign_status', {})).structured).toMatchObject({
    next: expect.stringMatching(/^Stop, limits\.target 0\.9975 is reached: exp-0005/),
  });
});

it('says nothing of a target that is still ahead', async () => {
  const client = await campaign('limits: { target: 0.5 }', [0.2]);
  expect((await callTool(client, 'analyze_results', {})).structured).not.toHaveProperty('target');
});
