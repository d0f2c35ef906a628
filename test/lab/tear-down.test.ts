import { expect, it } from 'vitest';
import { AutoresearchError } from '../../src/domain/errors.js';
import { ClusterId } from '../../src/domain/ids.js';
import { type Lab, nameOf, readCampaign, readExperiments, updateCampaign } from '../../src/lab/lab.js';
import { submitRuns } from '../../src/lab/submit-runs.js';
import { tearDown } from '../../src/lab/tear-down.js';
import { hanging } from '../support/hanging.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab, SELDOM_ASKED } from '../support/test-lab.js';
import { after, eachSecond, fleetOf, jobsOf, placesOf, waveOf } from '../support/waves.js';

const ALL = { clusters: [], idleOnly: false, all: true, dryRun: false };
const named = (id: string) => ({ ...ALL, clusters: [ClusterId.parse(id)], all: false });

/** As far as a server got that died after it had written down what was to end. */
const writtenDown = (lab: Lab) =>
  updateCampaign(lab, ({ fleet }) => {
    for (const cluster of fleet) Object.assign(cluster, { state: 'ending', reason: 'Torn down on request.' });
  });

const namesOf = async (lab: Lab) => (await readCampaign(lab)).fleet.map(nameOf);

/** Clusters that take their time to go. */
async function slowLab(most = 16) {
  const slow = hanging('down');
  const simulated = await createTestLab({
    clusters: 4,
    before: slow.before,
    files: { 'autoresearch.yaml': `campaign: test\nlimits: { max_clusters: ${most} }\n` },
  });
  return { ...simulated, slow, lab: slow.impatient(simulated.lab) };
}

it('collects what has ended on a cluster before it goes, and cancels the rest', async () => {
  const { lab, backend } = await createTestLab({
    clusters: 1,
    run: (task) => ({ seconds: 300, log: wrapperLine(task) + summaryBlock(Number(task.name.slice(4))) }),
  });
  await submitRuns(lab, waveOf([1, 2, 3]));
  await lab.sleep(350_000);
  const { clusters, ending, experiments } = await tearDown(lab, ALL);
  expect([clusters.map(({ id }) => id), ending]).toEqual([['gpu-01'], []]);
  expect(experiments.map(({ id }) => id)).toEqual(['exp-0002', 'exp-0003']);
  expect((await readExperiments(lab)).map(({ state, metrics, note }) => [state, metrics?.['val_bpb'], note])).toEqual([
    ['done', 1, null],
    ['cancelled', undefined, 'Its cluster was torn down.'],
    ['cancelled', undefined, 'Its cluster was torn down.'],
  ]);
  expect(await lab.store.readText((await readExperiments(lab))[0]?.id ?? expect.fail(), 'log.txt')).toContain(
    'val_bpb',
  );
  expect(await fleetOf(lab)).toEqual(['gpu-01 ended']);
  expect(await backend.clusters(await namesOf(lab))).toEqual([]);
});

it('collects too what has ended on machines that are seldom asked', async () => {
  const { lab } = await createTestLab({ clusters: 1, capabilities: SELDOM_ASKED });
  await submitRuns(lab, waveOf([1, 2, 3]));
  await eachSecond(lab, 605);
  expect(await placesOf(lab)).toEqual(['exp-0001 done gpu-01', 'exp-0002 running gpu-01', 'exp-0003 queued gpu-01']);
  await tearDown(lab, ALL);
  expect(await placesOf(lab)).toEqual(['exp-0001 done gpu-01', 'exp-0002 done gpu-01', 'exp-0003 cancelled gpu-01']);
});

it('ends what a server that died had written down to end, with the results that were there by then', async () => {
  const { lab, backend, another } = await createTestLab({ clusters: 2 });
  await submitRuns(lab, waveOf([1, 2, 3]));
  await writtenDown(lab);
  await lab.store.lease.release();
  const successor = await another();
  await after(successor, 350);
  expect(await placesOf(successor)).toEqual([
    'exp-0001 done gpu-01',
    'exp-0002 done gpu-02',
    'exp-0003 cancelled gpu-01',
  ]);
  expect(await fleetOf(successor)).toEqual(['gpu-01 ended', 'gpu-02 ended']);
  expect((await readCampaign(successor)).fleet.map(({ reason }) => reason)).toEqual([
    'Torn down on request.',
    'Torn down on request.',
  ]);
  expect(await backend.clusters(await namesOf(successor))).toEqual([]);
  await after(successor, 600);
  expect(await readExperiments(successor)).toHaveLength(3);
  expect(await fleetOf(successor)).toHaveLength(2);
});

it('leaves a teardown that failed to the next round', async () => {
  let isDown = false;
  const { lab, backend } = await createTestLab({
    clusters: 1,
    before(call) {
      if (isDown && call === 'down') throw new AutoresearchError('backend_down', 'Nobody answers.', 'Wait.');
    },
  });
  await submitRuns(lab, waveOf([1]));
  isDown = true;
  await expect(tearDown(lab, ALL)).rejects.toMatchObject({ code: 'backend_down' });
  expect(await fleetOf(lab)).toEqual(['gpu-01 ending']);
  expect(await backend.clusters(await namesOf(lab))).toHaveLength(1);
  isDown = false;
  await after(lab, 1);
  expect(await fleetOf(lab)).toEqual(['gpu-01 ended']);
  expect(await placesOf(lab)).toEqual(['exp-0001 cancelled gpu-01']);
  expect(await backend.clusters(await namesOf(lab))).toEqual([]);
});

it('runs nowhere else what was on a torn-down cluster that is found gone', async () => {
  const { lab, backend, another } = await createTestLab({ clusters: 2 });
  await submitRuns(lab, waveOf([1, 2, 3, 4]));
  await after(lab, 100);
  // The server died when the machines had gone, and before it wrote that down.
  await writtenDown(lab);
  await backend.down(await namesOf(lab));
  await lab.store.lease.release();
  const successor = await another();
  for (const seconds of [1, 1, 600]) await after(successor, seconds);
  expect((await readExperiments(successor)).map(({ state, note, attempt }) => [state, note, attempt])).toEqual(
    Array.from({ length: 4 }, () => ['cancelled', 'Its cluster was torn down.', 1]),
  );
  expect(await fleetOf(successor)).toEqual(['gpu-01 ended', 'gpu-02 ended']);
});

it('ends the named cluster alone, and lets the others run on', async () => {
  const { lab, backend } = await createTestLab({ clusters: 2 });
  await submitRuns(lab, waveOf([1, 2, 3, 4]));
  await after(lab, 10);
  const { experiments } = await tearDown(lab, named('gpu-02'));
  expect(experiments.map(({ id }) => id)).toEqual(['exp-0002', 'exp-0004']);
  await after(lab, 301);
  await after(lab, 301);
  expect(await placesOf(lab)).toEqual([
    'exp-0001 done gpu-01',
    'exp-0002 cancelled gpu-02',
    'exp-0003 done gpu-01',
    'exp-0004 cancelled gpu-02',
  ]);
  expect(await jobsOf(lab, backend, 'exp-0003')).toEqual(['gpu-01 SUCCEEDED']);
  await expect(tearDown(lab, named('gpu-02'))).rejects.toMatchObject({ code: 'not_found' });
});

it('answers in forty seconds that a slow cluster is still ending, and goes on with it', async () => {
  const { lab, slow } = await slowLab();
  await submitRuns(lab, waveOf([1, 2]));
  await after(lab, 10);
  const startedAt = lab.now();
  slow.begin();
  const { clusters, ending } = await tearDown(lab, named('gpu-01'));
  expect([clusters.map(({ id }) => id), ending.map(({ id }) => id)]).toEqual([['gpu-01'], ['gpu-01']]);
  expect((lab.now() - startedAt) / 1000).toBeGreaterThanOrEqual(40);
  expect((lab.now() - startedAt) / 1000).toBeLessThan(50);
  expect(await fleetOf(lab)).toEqual(['gpu-01 ending', 'gpu-02 up']);
  slow.end();
  await after(lab, 1);
  expect(await fleetOf(lab)).toEqual(['gpu-01 ended', 'gpu-02 up']);
  expect((await readCampaign(lab)).fleet[0]).toMatchObject({ reason: 'Torn down on request.' });
});

it('gives a cluster on its way down no new run, and its name to none before it is gone', async () => {
  const { lab, slow } = await slowLab();
  await submitRuns(lab, waveOf([1]));
  await after(lab, 400);
  slow.begin();
  await tearDown(lab, ALL);
  await submitRuns(lab, waveOf([2]));
  await after(lab, 1);
  expect(await placesOf(lab)).toEqual(['exp-0001 done gpu-01', expect.stringMatching(/exp-0002 \w+ gpu-02/)]);
  expect(await fleetOf(lab)).toEqual(['gpu-01 ending', expect.stringContaining('gpu-02')]);
  slow.end();
  await after(lab, 1);
  expect(await fleetOf(lab)).toEqual(['gpu-01 ended', 'gpu-02 up']);
  await submitRuns(lab, waveOf([3]));
  expect(await fleetOf(lab)).toEqual(['gpu-01 ended', 'gpu-02 up', 'gpu-01 up']);
});

it('counts a cluster that is on its way down towards limits.max_clusters', async () => {
  const { lab, slow } = await slowLab(1);
  await submitRuns(lab, waveOf([1]));
  await after(lab, 400);
  slow.begin();
  await tearDown(lab, ALL);
  await expect(submitRuns(lab, waveOf([2]))).rejects.toMatchObject({
    code: 'no_capacity',
    message: expect.stringContaining('limits.max_clusters'),
  });
  slow.end();
  await after(lab, 1);
  await submitRuns(lab, waveOf([2]));
  expect(await fleetOf(lab)).toEqual(['gpu-01 ended', 'gpu-01 up']);
});
