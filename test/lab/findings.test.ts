import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { analyseResults } from '../../src/lab/analyse-results.js';
import { recordReport } from '../../src/lab/findings.js';
import { callTool, connectClient } from '../support/client.js';
import { plantedLab, runWave } from '../support/planted-runs.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab } from '../support/test-lab.js';

it('writes what an analysis shows into the notebook, once however often it is asked', async () => {
  const { lab } = await createTestLab({
    clusters: 1,
    run: (task) => {
      const isLarge = /LEARNING_RATE=0.08/.test(task.envs['EXPERIMENT_DESC'] ?? '');
      const noise = ((Number(task.name.slice(-1)) * 7) % 5) * 1e-5;
      return { seconds: 60, log: wrapperLine(task) + summaryBlock((isLarge ? 0.95 : 0.97) + noise) };
    },
  });
  const client = await connectClient(async () => lab);
  const design = { factors: { LEARNING_RATE: [0.02, 0.08], DEPTH: [4, 6] } };
  await callTool(client, 'launch_wave', { design, replicates: 2 });
  await lab.sleep(2_000_000);
  await callTool(client, 'fetch_result', { wave_id: 'wave-001' });
  const first = await recordReport(lab, await analyseResults(lab, { waveId: null, factors: null }));
  expect(first.find(({ subject }) => subject === 'effect:LEARNING_RATE 0.02→0.08')).toMatchObject({
    claim: 'lowers',
    text: expect.stringMatching(/^LEARNING_RATE 0\.02 → 0\.08 lowers val_bpb by 0\.0(200|199|2)/),
  });
  expect(first.find(({ subject }) => subject === 'effect:DEPTH 4→6')).toMatchObject({ claim: 'not shown' });
  const file = () => readFileSync(join(lab.store.directory, 'findings.json'), 'utf8');
  const before = file();
  await lab.sleep(60_000);
  await recordReport(lab, await analyseResults(lab, { waveId: null, factors: null }));
  expect(file()).toBe(before);
});

it('strikes a win out that later runs undo, and never notes that something is no win which nobody had called one', async () => {
  const { lab } = await plantedLab(
    ({ overrides, waveId }, noise) => ({
      value: (overrides['DEPTH'] === 9 ? (waveId === 'wave-001' ? 0.95 : 1.1) : 0.97) + 1e-4 * noise,
    }),
    { clusters: 1 },
  );
  const client = await connectClient(async () => lab);
  const resultsAfter = async (experiments: readonly object[]) => {
    await runWave(client, 'launch_wave', { experiments, replicates: 3 });
    await callTool(client, 'analyze_results', {});
    return (await lab.store.findings()).filter(({ kind }) => kind === 'result');
  };
  const first = await resultsAfter([
    { description: 'deeper', overrides: { DEPTH: 9 } },
    { description: 'no deeper', overrides: { DEPTH: 7 } },
  ]);
  expect(first).toMatchObject([{ claim: 'win', text: expect.stringMatching(/\(deeper\) beats exp-0001: −0\.0\d+/) }]);
  const [id] = first[0]?.experimentIds ?? [];
  const [win, now] = await resultsAfter([
    { description: 'again', replicate_of: id },
    { description: 'control', replicate_of: 'exp-0001' },
  ]);
  expect(win).toMatchObject({ claim: 'win', supersededBy: now?.id });
  expect(now).toMatchObject({
    claim: 'no win',
    text: expect.stringContaining('is not ahead of exp-0001 beyond doubt'),
  });
  expect((await lab.store.findings()).find(({ subject }) => subject === `repeat:wave-002:${id}`)).toMatchObject({
    claim: 'fell_back',
  });
});
