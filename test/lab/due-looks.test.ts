import { expect, it } from 'vitest';
import { type Lab, readExperiments } from '../../src/lab/lab.js';
import { submitRuns } from '../../src/lab/submit-runs.js';
import { type SimulatedBackend, summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab, SELDOM_ASKED } from '../support/test-lab.js';
import { eachSecond, waveOf } from '../support/waves.js';

/** Runs take 300 s. */
const slowMachines = () => createTestLab({ clusters: 1, capabilities: SELDOM_ASKED });

/** How often the cluster's queue was asked for in so many seconds, with a round each second. */
async function looksIn(lab: Lab, backend: SimulatedBackend, seconds: number): Promise<number> {
  const before = backend.calls['jobs'] ?? 0;
  await eachSecond(lab, seconds);
  return (backend.calls['jobs'] ?? 0) - before;
}

const states = async (lab: Lab) => (await readExperiments(lab)).map(({ state }) => state);

it('asks ever more seldom for a run of which nobody knows how long it takes', async () => {
  const { lab, backend } = await slowMachines();
  await submitRuns(lab, waveOf([1]));
  const perMinute: number[] = [];
  for (let minute = 0; minute < 4; minute++) perMinute.push(await looksIn(lab, backend, 60));
  expect(perMinute).toEqual(perMinute.toSorted((a, b) => b - a));
  expect(perMinute[0]).toBeGreaterThan(4);
  expect(perMinute[3]).toBe(1);
});

it('asks once a minute until a run should have ended, then at once, and the next one goes on unasked', async () => {
  const { lab, backend } = await slowMachines();
  await submitRuns(lab, waveOf([1, 2, 3]));
  await looksIn(lab, backend, 400);
  expect(await states(lab)).toEqual(['done', 'running', 'queued']);
  expect(await looksIn(lab, backend, 151)).toBeLessThanOrEqual(3);
  // exp-0002 ends at 600 s; exp-0003 waits behind it, so 10 s more are let pass, and nobody asks in the minute before.
  expect(await looksIn(lab, backend, 58)).toBe(0);
  await looksIn(lab, backend, 6);
  expect(await states(lab)).toEqual(['done', 'done', 'running']);
  // exp-0003 is the last: its end at 900 s is noticed as soon as machines may be asked.
  await looksIn(lab, backend, 284);
  expect(await states(lab)).toEqual(['done', 'done', 'running']);
  await looksIn(lab, backend, 6);
  expect(await states(lab)).toEqual(['done', 'done', 'done']);
});

it('sees within a minute that a run crashed long before its time', async () => {
  const { lab, backend } = await createTestLab({
    clusters: 1,
    capabilities: SELDOM_ASKED,
    run: (task) =>
      task.name.startsWith('exp-0002')
        ? { seconds: 20, log: `${wrapperLine(task)}Traceback\n`, exitCode: 1 }
        : { seconds: 300, log: wrapperLine(task) + summaryBlock(1) },
  });
  await submitRuns(lab, waveOf([1]));
  await looksIn(lab, backend, 400);
  await submitRuns(lab, waveOf([2]));
  await looksIn(lab, backend, 80);
  expect(await states(lab)).toEqual(['done', 'crashed']);
});
