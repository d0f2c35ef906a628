import { expect, it, vi } from 'vitest';
import { AutoresearchError } from '../../src/domain/errors.js';
import { type Lab, nameOf, readCampaign, readExperiments } from '../../src/lab/lab.js';
import { submitRuns } from '../../src/lab/submit-runs.js';
import { tearDown } from '../../src/lab/tear-down.js';
import type { Task } from '../../src/ports/cluster-backend.js';
import { callTool, connectClient } from '../support/client.js';
import { hanging } from '../support/hanging.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab } from '../support/test-lab.js';
import { after, fleetOf, placesOf, waveOf } from '../support/waves.js';

const ALL = { clusters: [], idleOnly: false, all: true, dryRun: false };
/** gpu-01's runs (odd) crash at once, so that it is idle; those on gpu-02 take 300 s. */
const uneven = (task: Task) =>
  ['exp-0001', 'exp-0003', 'exp-0005'].includes(task.name)
    ? { seconds: 5, log: `${wrapperLine(task)}Traceback\n`, exitCode: 1 }
    : { seconds: 300, log: wrapperLine(task) + summaryBlock(1) };
const withMostClusters = (lab: Lab, max_clusters: number): Lab => {
  const { settings } = lab.project;
  return {
    ...lab,
    project: { ...lab.project, settings: { ...settings, limits: { ...settings.limits, max_clusters } } },
  };
};
const gpu01 = async (lab: Lab) => nameOf((await readCampaign(lab)).fleet[0] ?? expect.fail());
const rounds = async (lab: Lab, count: number) => {
  for (let round = 0; round < count; round++) await after(lab, 60);
};

it('cancels runs that wait for a launch with its teardown, and launches nothing in its place', async () => {
  const { lab } = await createTestLab({ clusters: 4, waits: () => 'pending' });
  await submitRuns(lab, waveOf([1, 2]));
  await after(lab, 5);
  const { experiments } = await tearDown(lab, ALL);
  expect(experiments.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
  await after(lab, 5);
  expect(await fleetOf(lab)).toEqual(['gpu-01 ended', 'gpu-02 ended']);
});

it('runs a moved run where it came from when the cluster that it moved to is lost before it took it', async () => {
  const { lab, backend } = await createTestLab({ clusters: 2, run: uneven });
  await submitRuns(lab, waveOf([1, 2, 3, 4]));
  await after(lab, 20); // noted and cancelled
  await backend.down([await gpu01(lab)]);
  await rounds(withMostClusters(lab, 1), 20);
  expect(await placesOf(lab)).toContain('exp-0004 done gpu-02');
});

it('runs a moved run once more where it came from when the cluster that it moved to is lost under it', async () => {
  const { lab, backend } = await createTestLab({ clusters: 2, run: uneven });
  await submitRuns(lab, waveOf([1, 2, 3, 4]));
  for (const seconds of [20, 5, 5]) await after(lab, seconds);
  expect(await placesOf(lab)).toContain('exp-0004 running gpu-01');
  await backend.down([await gpu01(lab)]);
  await rounds(withMostClusters(lab, 1), 20);
  expect(await placesOf(lab)).toContain('exp-0004 done gpu-02');
});

it('does not count a run that has no home as waiting on the new cluster that has the name of its old one', async () => {
  const { lab, backend } = await createTestLab({ clusters: 2, run: uneven });
  await submitRuns(lab, waveOf([1, 2, 3, 4]));
  await after(lab, 20);
  await backend.down([await gpu01(lab)]);
  await after(lab, 1);
  // gpu-02 is busy for 279 s more, and one more machine is free.
  expect(await fleetOf(lab)).toEqual(['gpu-01 ended', 'gpu-02 up', expect.stringContaining('gpu-01')]);
});

it('gives one idle cluster one run, however slow the cancellation is', async () => {
  const slow = hanging('cancel');
  const { lab: patient } = await createTestLab({ clusters: 2, run: uneven, before: slow.before });
  const lab = slow.impatient(patient);
  await submitRuns(lab, waveOf([1, 2, 3, 4, 5, 6]));
  slow.begin();
  for (const seconds of [20, 5, 5]) await after(lab, seconds);
  expect((await readExperiments(lab)).filter(({ move }) => move !== null).map(({ id }) => id)).toEqual(['exp-0006']);
});

it('refuses to queue on a cluster that is on its way down, or says where the run goes instead', async () => {
  const slow = hanging('down');
  const { lab: patient } = await createTestLab({ clusters: 4, before: slow.before });
  const lab = slow.impatient(patient);
  await submitRuns(lab, waveOf([1]));
  await after(lab, 400);
  slow.begin();
  await tearDown(lab, ALL);
  const client = await connectClient(async () => lab);
  const experiments = [{ description: 'x', overrides: { DEPTH: 9 } }];
  expect(await callTool(client, 'queue_on_cluster', { cluster: 'gpu-01', experiments })).toHaveProperty('error');
});

it.each([
  ['F1. answers what was launched', { description: 'x', overrides: { DEPTH: 9 } }],
  ['F2. launches a replicate once', { description: 'y', replicate_of: 'exp-0001' }],
])('%s after the backend was started on a yes', async (_, experiment) => {
  let isDown = false;
  const { lab } = await createTestLab({
    clusters: 2,
    before() {
      if (isDown) throw new AutoresearchError('backend_down', 'Down.', 'Start it.');
    },
    starter: async () => ({
      command: 'start',
      run: async () => {
        isDown = false;
      },
    }),
  });
  await submitRuns(lab, waveOf([1]));
  await after(lab, 100);
  isDown = true;
  const client = await connectClient(
    async () => lab,
    () => 'accept',
  );
  const answer = await callTool(client, 'queue_on_cluster', { cluster: 'gpu-01', experiments: [experiment] });
  expect(answer.structured).toMatchObject({ experiment_ids: ['exp-0002'] });
  expect(await readExperiments(lab)).toHaveLength(2);
});

it('asks once, and starts once, for calls that meet', async () => {
  let isDown = true;
  const seen = { asked: 0, started: 0 };
  const { lab } = await createTestLab({
    before() {
      if (isDown) throw new AutoresearchError('backend_down', 'Down.', 'Start it.');
    },
    starter: async () => ({
      command: 'start',
      run: async () => {
        seen.started++;
        isDown = false;
      },
    }),
  });
  const client = await connectClient(
    async () => lab,
    () => {
      seen.asked++;
      return 'accept';
    },
  );
  const call = () => callTool(client, 'list_clusters_by_gpu', { include_offers: true });
  await Promise.all([call(), call()]);
  expect(seen).toEqual({ asked: 1, started: 1 });
});

it('runs once more what ended without a log, and gives it up as lost when that happens again', async () => {
  const { lab, backend } = await createTestLab({ clusters: 1 });
  vi.spyOn(backend, 'logs').mockImplementation(async (refs) => refs.map((ref) => ({ ...ref, text: null })));
  await submitRuns(lab, waveOf([1]));
  await after(lab, 350);
  expect(await placesOf(lab)).toEqual(['exp-0001 queued gpu-01']);
  expect((await readExperiments(lab))[0]).toMatchObject({ attempt: 2, losses: 1 });
  await after(lab, 350);
  expect((await readExperiments(lab))[0]).toMatchObject({
    state: 'lost',
    metrics: null,
    note: 'gpu-01 has no log of it either: look at the machines before launching it again.',
  });
});
