import { expect, it } from 'vitest';
import { experimentId } from '../../src/domain/ids.js';
import { advance } from '../../src/lab/advance.js';
import { readExperiments } from '../../src/lab/lab.js';
import { planRuns } from '../../src/lab/plan-runs.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab } from '../support/test-lab.js';
import { after, waveOf } from '../support/waves.js';

const ON = 'campaign: test\nlimits:\n  end_hopeless: true\n';

/** Seven finished runs with estimates about 1.20; then one that is bad, a good one, and a bad replicate, all running. */
async function underWay(settings: string, budgetOf: (name: string) => number = () => 300) {
  const printed = (name: string): number =>
    name === 'exp-0008' || name === 'exp-0010' ? 1.4 : name === 'exp-0009' ? 1.19 : 1.2 + Number(name.slice(-1)) / 1000;
  const simulated = await createTestLab({
    files: { 'autoresearch.yaml': settings },
    run: (task) => ({
      seconds: 300,
      log: `${wrapperLine(task)}very-secret\nTime budget: ${budgetOf(task.name)}s\nestimate 0.25 | val_bpb: ${printed(task.name)}\n${summaryBlock(1)}`,
    }),
  });
  const { lab } = simulated;
  await planRuns(lab, waveOf([0.01, 0.02, 0.03, 0.05, 0.06, 0.07, 0.08]));
  await advance(lab);
  await after(lab, 310);
  await planRuns(lab, waveOf([0.5, 0.6]));
  const [first] = await readExperiments(lab);
  const { requests } = waveOf([0]);
  await planRuns(
    lab,
    waveOf([], { requests: requests.map((one) => ({ ...one, overrides: {}, replicateOf: first?.id ?? null })) }),
  );
  await after(lab, 1);
  await after(lab, 40);
  await after(lab, 40);
  const states = (await readExperiments(lab)).slice(7).map(({ id, state }) => `${id} ${state}`);
  return { ...simulated, states };
}

it('ends a run whose estimates are hopeless, with the reason and its log; never a replicate, which measures the noise', async () => {
  const { lab, states } = await underWay(ON);
  expect(states).toEqual(['exp-0008 cancelled', 'exp-0009 running', 'exp-0010 running']);
  const ended = (await readExperiments(lab))[7];
  expect(ended?.note).toBe(
    'Ended as hopeless at 25 % of its budget: val_bpb was estimated at 1.400000, clearly worse than 1.204000, the median of 7 finished runs there (limits.end_hopeless).',
  );
  expect(await lab.store.readText(experimentId(8), 'log.txt')).toContain('[SOME_TOKEN]');
  await after(lab, 300);
  expect((await readExperiments(lab)).slice(7).map(({ state }) => state)).toEqual(['cancelled', 'done', 'done']);
});

it('asks for the logs of running jobs at most twice a minute, and not at all where nobody asked for it', async () => {
  const off = await underWay('campaign: test\n');
  expect(off.states).toEqual(['exp-0008 running', 'exp-0009 running', 'exp-0010 running']);
  const callsOff = off.backend.calls['logs'] ?? 0;
  const on = await underWay(ON);
  const before = on.backend.calls['logs'] ?? 0;
  for (let round = 0; round < 5; round++) await after(on.lab, 5);
  expect((on.backend.calls['logs'] ?? 0) - before).toBeLessThanOrEqual(1);
  expect(before).toBeGreaterThan(callsOff);
});

it('holds a run against those only that had as much time: a quarter of five minutes is no measure of a quarter of one', async () => {
  const { states } = await underWay(ON, (name) => (Number(name.slice(-1)) < 8 && name !== 'exp-0010' ? 300 : 60));
  expect(states).toEqual(['exp-0008 running', 'exp-0009 running', 'exp-0010 running']);
});
