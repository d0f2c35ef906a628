import { expect, it } from 'vitest';
import { AutoresearchError } from '../../src/domain/errors.js';
import { cancelExperiments } from '../../src/lab/cancel-experiments.js';
import { type Lab, readCampaign, readExperiments } from '../../src/lab/lab.js';
import { submitRuns } from '../../src/lab/submit-runs.js';
import type { Task } from '../../src/ports/cluster-backend.js';
import { type SimulatedOptions, summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab } from '../support/test-lab.js';
import { after, fleetOf, jobsOf, placesOf, waveOf } from '../support/waves.js';

const crashing = (task: Task) => ({ seconds: 5, log: `${wrapperLine(task)}Traceback\n`, exitCode: 1 });
const lasting = (seconds: number) => (task: Task) => ({
  seconds,
  log: wrapperLine(task) + summaryBlock(Number(task.name.slice(4, 8))),
});

/** exp-0001 and exp-0003 crash at once: gpu-01 is idle while exp-0004 waits on gpu-02 for 300 s behind exp-0002. */
const unevenRuns = (task: Task) => (['exp-0001', 'exp-0003'].includes(task.name) ? crashing(task) : lasting(300)(task));

async function unevenLab(options: Partial<SimulatedOptions> = {}) {
  const simulated = await createTestLab({ clusters: 2, run: unevenRuns, ...options });
  await submitRuns(simulated.lab, waveOf([1, 2, 3, 4]));
  expect(await placesOf(simulated.lab)).toEqual([
    'exp-0001 queued gpu-01',
    'exp-0002 queued gpu-02',
    'exp-0003 queued gpu-01',
    'exp-0004 queued gpu-02',
  ]);
  return simulated;
}

/** The first cancellation of a job does not get through. */
function failingFirstCancel(): Pick<SimulatedOptions, 'before'> {
  let isFirst = true;
  return {
    before(call) {
      if (call !== 'cancel' || !isFirst) return;
      isFirst = false;
      throw new AutoresearchError('backend_down', 'Nobody answers.', 'Wait.');
    },
  };
}

const lastRun = async (lab: Lab) => (await readExperiments(lab)).at(-1) ?? expect.fail('There is no run.');

it('takes a run that waits behind a long one to a cluster that has nothing to do, and says so', async () => {
  const { lab, backend } = await unevenLab();
  await after(lab, 20);
  await after(lab, 1);
  expect(await lastRun(lab)).toMatchObject({
    state: 'queued',
    cluster: 'gpu-01',
    note: 'Moved from gpu-02 to gpu-01, which had nothing to do.',
  });
  await after(lab, 301);
  expect(await lastRun(lab)).toMatchObject({ state: 'done', cluster: 'gpu-01', metrics: { val_bpb: 4 }, attempt: 2 });
  expect(await jobsOf(lab, backend, 'exp-0004')).toEqual(['gpu-01 SUCCEEDED', 'gpu-02 CANCELLED']);
});

it('leaves a run that would wait less than a minute where it is', async () => {
  const { lab, backend } = await unevenLab();
  await after(lab, 250);
  expect(await placesOf(lab)).toContain('exp-0002 running gpu-02');
  await after(lab, 1);
  await after(lab, 400);
  expect(await lastRun(lab)).toMatchObject({ state: 'done', cluster: 'gpu-02', move: null, note: null });
  expect(await jobsOf(lab, backend, 'exp-0004')).toEqual(['gpu-02 SUCCEEDED']);
});

it('moves no run that has moved before', async () => {
  const { lab, backend } = await unevenLab();
  const { waveId, id } = await lastRun(lab);
  await lab.store.updateWave(waveId, ({ experiments }) => {
    Object.assign(experiments[id] ?? {}, { attempt: 2 });
  });
  await after(lab, 20);
  await after(lab, 1000);
  expect(await jobsOf(lab, backend, 'exp-0004')).toEqual(['gpu-02 SUCCEEDED']);
});

it('runs each of a long uneven wave to its end once, and moves it once at most', async () => {
  const runs = (task: Task) => {
    const n = Number(task.name.slice(4, 8));
    return n % 4 === 1 ? crashing(task) : lasting([300, 0, 400, 900][n % 4] ?? 300)(task);
  };
  const { lab, backend } = await createTestLab({ clusters: 4, run: runs });
  const rates = Array.from({ length: 16 }, (_, index) => index + 1);
  await submitRuns(lab, waveOf(rates));
  for (let round = 0; round < 60; round++) await after(lab, 50);
  const experiments = await readExperiments(lab);
  expect(experiments.map(({ state }) => state)).toEqual(rates.map((n) => (n % 4 === 1 ? 'crashed' : 'done')));
  expect(experiments.flatMap(({ metrics }) => metrics?.['val_bpb'] ?? [])).toEqual(rates.filter((n) => n % 4 !== 1));
  let moved = 0;
  for (const { id, cluster, attempt } of experiments) {
    const jobs = await jobsOf(lab, backend, id);
    expect(jobs.filter((job) => !job.endsWith('CANCELLED'))).toEqual([expect.stringContaining(`${cluster} `)]);
    expect(jobs).toHaveLength(attempt);
    moved += jobs.length - 1;
  }
  expect(moved).toBeGreaterThan(1);
});

it.each([
  ['leaves a run that asked for an H100 alone', ['H100:1'], 'gpu-02 SUCCEEDED'],
  ['takes a run that asked for an H100 or an H200', ['H100:1', 'H200:1'], 'gpu-01 SUCCEEDED'],
])('%s when a cluster with an H200 has nothing to do', async (_, wanted, place) => {
  const { lab, backend } = await createTestLab({
    capabilities: { choosesAccelerators: true },
    kinds: { 'H200:1': 1, 'H100:1': 1 },
    run: unevenRuns,
  });
  await submitRuns(lab, waveOf([1], { accelerators: ['H200:1'] }));
  await submitRuns(lab, waveOf([2, 3, 4], { accelerators: wanted }));
  expect((await readCampaign(lab)).fleet.map(({ id, accelerators }) => `${id} ${accelerators}`)).toEqual([
    'gpu-01 H200:1',
    'gpu-02 H100:1',
  ]);
  expect(await placesOf(lab)).toContain('exp-0004 queued gpu-02');
  for (const seconds of [20, 1, 1000]) await after(lab, seconds);
  expect(await jobsOf(lab, backend, 'exp-0004')).toContain(place);
  expect(await lastRun(lab)).toMatchObject({
    state: 'done',
    accelerators: place.startsWith('gpu-01') ? 'H200:1' : 'H100:1',
  });
});

it('lets a run go on where it is when its turn came before the cancellation', async () => {
  const { lab, backend } = await unevenLab(failingFirstCancel());
  await expect(after(lab, 20)).rejects.toMatchObject({ code: 'backend_down' });
  expect(await lastRun(lab)).toMatchObject({ cluster: 'gpu-02', move: { from: 'gpu-02', to: 'gpu-01' } });
  await after(lab, 300);
  expect(await lastRun(lab)).toMatchObject({ state: 'running', cluster: 'gpu-02', move: null, note: null });
  await after(lab, 300);
  expect(await lastRun(lab)).toMatchObject({ state: 'done', metrics: { val_bpb: 4 } });
  expect(await jobsOf(lab, backend, 'exp-0004')).toEqual(['gpu-02 SUCCEEDED']);
});

it('completes a move that a server wrote down before it died', async () => {
  const { lab, backend, another } = await unevenLab(failingFirstCancel());
  await expect(after(lab, 20)).rejects.toMatchObject({ code: 'backend_down' });
  await lab.store.lease.release();
  const successor = await another();
  for (const seconds of [5, 1, 301]) await after(successor, seconds);
  expect(await lastRun(successor)).toMatchObject({ state: 'done', cluster: 'gpu-01', metrics: { val_bpb: 4 } });
  expect(await jobsOf(successor, backend, 'exp-0004')).toEqual(['gpu-01 SUCCEEDED', 'gpu-02 CANCELLED']);
});

it('takes the result of a run that ended where it was while nobody looked, though it was to move', async () => {
  const { lab, backend, another } = await unevenLab(failingFirstCancel());
  await expect(after(lab, 20)).rejects.toMatchObject({ code: 'backend_down' });
  await lab.store.lease.release();
  const successor = await another();
  await after(successor, 3600);
  expect(await lastRun(successor)).toMatchObject({ state: 'done', cluster: 'gpu-02', metrics: { val_bpb: 4 } });
  expect(await jobsOf(successor, backend, 'exp-0004')).toEqual(['gpu-02 SUCCEEDED']);
});

it('runs nowhere what is cancelled on request while it moves', async () => {
  const { lab, backend } = await unevenLab();
  await after(lab, 20);
  const run = await lastRun(lab);
  expect(run).toMatchObject({ cluster: 'gpu-02', move: { from: 'gpu-02', to: 'gpu-01' } });
  await cancelExperiments(lab, [run.id]);
  await after(lab, 1);
  await after(lab, 1000);
  expect(await lastRun(lab)).toMatchObject({ state: 'cancelled', note: 'Cancelled on request.' });
  expect(await jobsOf(lab, backend, 'exp-0004')).toEqual(['gpu-02 CANCELLED']);
});

it('gives runs whose launch has waited for three minutes to an idle cluster at once', async () => {
  const { lab, backend } = await createTestLab({
    clusters: 2,
    run: unevenRuns,
    waits: (cluster) => (cluster.startsWith('gpu-02') ? 'Launching (pending: Resources)' : null),
  });
  await submitRuns(lab, waveOf([1, 2, 3, 4]));
  await after(lab, 170);
  expect(await fleetOf(lab)).toEqual(['gpu-01 up', 'gpu-02 launching']);
  const before = ['exp-0001 crashed gpu-01', 'exp-0002 planned gpu-02', 'exp-0003 crashed gpu-01'];
  expect(await placesOf(lab)).toEqual([...before, 'exp-0004 planned gpu-02']);
  await after(lab, 11);
  expect((await readExperiments(lab))[1]).toMatchObject({
    state: 'queued',
    cluster: 'gpu-01',
    note: 'Moved from gpu-02 to gpu-01, which had nothing to do.',
  });
  expect(await placesOf(lab)).toContain('exp-0004 planned gpu-02');
  for (const seconds of [301, 301]) await after(lab, seconds);
  expect((await readExperiments(lab)).map(({ metrics }) => metrics?.['val_bpb'])).toEqual([undefined, 2, undefined, 4]);
  expect(await jobsOf(lab, backend, 'exp-0004')).toEqual(['gpu-01 SUCCEEDED']);
});
