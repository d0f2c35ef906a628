import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ExperimentRequest } from '../../src/domain/experiment.js';
import { ExperimentId } from '../../src/domain/ids.js';
import { experimentsOf } from '../../src/domain/wave.js';
import { advance } from '../../src/lab/advance.js';
import { campaignStatus } from '../../src/lab/campaign-status.js';
import { cancelExperiments } from '../../src/lab/cancel-experiments.js';
import { type Lab, nameOf, readCampaign, readExperiments } from '../../src/lab/lab.js';
import { submitRun, submitRuns } from '../../src/lab/submit-runs.js';
import { tearDown } from '../../src/lab/tear-down.js';
import { summaryBlock, virtualClock, wrapperLine } from '../support/simulated-backend.js';
import { TRAIN_PY } from '../support/simulated-lab.js';
import { createTestLab, SELDOM_ASKED } from '../support/test-lab.js';
import { eachSecond, requestOf } from '../support/waves.js';

const wave = (requests: readonly ExperimentRequest[], more: object = {}) => ({
  description: '',
  kind: 'list' as const,
  factors: {},
  requests,
  replicates: 1,
  accelerators: [],
  cluster: null,
  withBaseline: true,
  ...more,
});

const rates = (...values: number[]) => values.map((value) => requestOf({ LEARNING_RATE: value }));

const afterRuns = async (lab: Lab, seconds = 400) => {
  await lab.sleep(seconds * 1000);
  await advance(lab);
};

it('adds the unchanged base to the first wave only, and makes it the first incumbent', async () => {
  const { lab } = await createTestLab();
  await submitRuns(lab, wave(rates(0.1, 0.2)));
  await afterRuns(lab);
  await submitRuns(lab, wave(rates(0.3)));
  const experiments = await readExperiments(lab);
  expect(experiments.filter(({ isBaseline }) => isBaseline).map(({ id }) => id)).toEqual(['exp-0001']);
  expect((await readCampaign(lab)).incumbent).toBe('exp-0001');
});

it('takes a design’s point that is the unchanged base as the baseline', async () => {
  const { lab } = await createTestLab();
  const { wave: stored, duplicates } = await submitRuns(lab, wave(rates(0.04, 0.08)));
  expect(duplicates).toEqual([]);
  expect(
    experimentsOf(stored ?? expect.fail()).map(({ description, isBaseline }) => [description, isBaseline]),
  ).toEqual([
    ['{"LEARNING_RATE":0.04}', true],
    ['{"LEARNING_RATE":0.08}', false],
  ]);
});

it('answers what was run before with its result, and never runs it again unasked', async () => {
  const { lab, backend } = await createTestLab();
  await submitRuns(lab, wave(rates(0.1)));
  await afterRuns(lab);
  const again = await submitRuns(lab, wave(rates(0.1, 0.2)));
  expect(again.duplicates.map(({ of }) => [of.id, of.metrics?.['val_bpb']])).toEqual([['exp-0002', 1]]);
  expect(experimentsOf(again.wave ?? expect.fail())).toHaveLength(1);
  await expect(submitRun(lab, wave(rates(0.1), { withBaseline: false }))).rejects.toMatchObject({ code: 'duplicate' });
  const names = (await backend.jobs((await readCampaign(lab)).fleet.map(nameOf))).map(({ name }) => name);
  expect(names.sort()).toEqual(['exp-0001', 'exp-0002', 'exp-0003']);
});

it('runs the very code of an experiment once more when a replicate is asked for, whatever the project holds by then', async () => {
  const { lab, directory } = await createTestLab();
  await submitRuns(lab, wave(rates(0.1)));
  writeFileSync(join(directory, 'train.py'), `${TRAIN_PY}# changed since\n`);
  await submitRuns(lab, wave([requestOf({}, { replicateOf: ExperimentId.parse('exp-0002') })]));
  const [, original, , replicate] = await readExperiments(lab);
  // exp-0003 is the baseline of the changed project: the first one has no result yet.
  expect(replicate?.snapshot ?? (await readExperiments(lab)).at(-1)?.snapshot).toBe(original?.snapshot);
});

it('spreads a wave over as many clusters as there are and queues the rest behind them', async () => {
  const { lab } = await createTestLab({ clusters: 3 });
  const { wave: stored } = await submitRuns(lab, wave(rates(1, 2, 3, 4, 5, 6, 7)));
  expect(experimentsOf(stored ?? expect.fail()).map(({ cluster }) => cluster)).toEqual([
    'gpu-01',
    'gpu-02',
    'gpu-03',
    'gpu-01',
    'gpu-02',
    'gpu-03',
    'gpu-01',
    'gpu-02',
  ]);
});

it('stores nothing and launches nothing when one experiment of a wave is bad', async () => {
  const { lab } = await createTestLab();
  await expect(submitRuns(lab, wave([...rates(0.1), requestOf({ LEARNING_RAT: 1 })]))).rejects.toMatchObject({
    code: 'invalid_code',
    hint: expect.stringContaining('LEARNING_RATE'),
  });
  expect(await readExperiments(lab)).toEqual([]);
  expect((await readCampaign(lab)).fleet).toEqual([]);
});

it('refuses a result whose job reported another hash, or another job’s nonce', async () => {
  const logs = ['AUTORESEARCH_SNAPSHOT forged 0000\n', `AUTORESEARCH_SNAPSHOT nonce-2 ${'0'.repeat(64)}\n`];
  const { lab } = await createTestLab({
    run: () => ({ seconds: 10, log: (logs.shift() ?? '') + summaryBlock(0.1) }),
  });
  await submitRuns(lab, wave(rates(0.1)));
  await afterRuns(lab);
  expect((await readExperiments(lab)).map(({ state, metrics }) => [state, metrics])).toEqual([
    ['refused', null],
    ['refused', null],
  ]);
  expect((await readCampaign(lab)).incumbent).toBeNull();
});

it('believes a job that failed about its timeout and its setup, and lets none that ended well get round the hash', async () => {
  const logs: Record<string, [string, number]> = {
    'exp-0001': ['AUTORESEARCH_TIMEOUT\n', 124],
    'exp-0002': ['error: no such wheel\nAUTORESEARCH_SETUP_FAILED\n', 96],
    'exp-0003': [`AUTORESEARCH_SETUP_FAILED\n${summaryBlock(0.1)}`, 0],
  };
  const { lab } = await createTestLab({
    run: ({ name }) => ({ seconds: 10, log: logs[name]?.[0] ?? '', exitCode: logs[name]?.[1] ?? 1 }),
  });
  await submitRuns(lab, wave(rates(0.1, 0.2)));
  await afterRuns(lab);
  expect((await readExperiments(lab)).map(({ state, crash }) => [state, crash?.cause])).toEqual([
    ['timed_out', 'timeout'],
    ['crashed', 'setup_failed'],
    ['refused', undefined],
  ]);
});

it('gives the runs of a lost cluster to another once, and reports the second loss', async () => {
  const { lab, backend } = await createTestLab({ clusters: 1 });
  await submitRuns(lab, wave(rates(0.1)));
  for (const round of [1, 2]) {
    await lab.sleep(1_000);
    await advance(lab);
    await backend.down((await readCampaign(lab)).fleet.map(nameOf));
    await advance(lab);
    await advance(lab);
    if (round === 1)
      expect((await readExperiments(lab)).map(({ attempt, state }) => [attempt, state === 'lost'])).toEqual([
        [2, false],
        [2, false],
      ]);
  }
  expect((await readExperiments(lab)).map(({ state }) => state)).toEqual(['lost', 'lost']);
});

it('finds the jobs that a killed server submitted but never wrote down, and submits none of them twice', async () => {
  const { lab, backend, another } = await createTestLab({ clusters: 2 });
  await submitRuns(lab, wave(rates(0.1, 0.2, 0.3)));
  // As if the server had died between the submission and its record.
  await lab.store.updateWave((await readExperiments(lab))[0]?.waveId ?? expect.fail(), ({ experiments }) => {
    for (const run of Object.values(experiments))
      Object.assign(run, { state: 'planned', jobId: null, queuedAt: null, startedAt: null });
  });
  await lab.store.lease.release();
  const successor = await another();
  await advance(successor);
  await afterRuns(successor, 1000);
  expect((await readExperiments(successor)).map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done']);
  expect(await backend.jobs((await readCampaign(successor)).fleet.map(nameOf))).toHaveLength(4);
});

it('lets one of two servers poll and submit while the other reads what it wrote', async () => {
  const { lab, backend, another } = await createTestLab();
  const second = await another();
  await submitRuns(lab, wave(rates(0.1)));
  const before = backend.calls['clusters'];
  expect(before).toBeGreaterThan(0);
  await advance(second);
  expect(backend.calls['clusters']).toBe(before);
  await submitRuns(second, wave(rates(0.2)));
  expect((await readExperiments(second)).at(-1)?.state).toBe('planned');
  await advance(lab);
  expect((await readExperiments(second)).at(-1)?.state).toBe('queued');
});

it('asks the machines once a round whatever the wave’s size, and reads each log once', async () => {
  const { lab, backend } = await createTestLab({ clusters: 4 });
  await submitRuns(lab, wave(rates(1, 2, 3, 4, 5, 6, 7)));
  const { jobs = 0, logs = 0 } = backend.calls;
  await afterRuns(lab, 2000);
  await advance(lab);
  expect([(backend.calls['jobs'] ?? 0) - jobs, (backend.calls['logs'] ?? 0) - logs]).toEqual([1, 1]);
});

it('cancels what waits and what runs, and leaves what has ended as it is', async () => {
  const { lab } = await createTestLab({ clusters: 1 });
  await submitRuns(lab, wave(rates(0.1, 0.2)));
  await afterRuns(lab, 350);
  const ids = (await readExperiments(lab)).map(({ id }) => id);
  const { cancelled, settled } = await cancelExperiments(lab, ids);
  expect([settled.map(({ id }) => id), cancelled.map(({ id }) => id)]).toEqual([
    ['exp-0001'],
    ['exp-0002', 'exp-0003'],
  ]);
  await afterRuns(lab, 2000);
  expect((await readExperiments(lab)).map(({ state }) => state)).toEqual(['done', 'cancelled', 'cancelled']);
});

it('cancels no run that has ended since its machines were asked: it keeps its result', async () => {
  const { lab } = await createTestLab({ clusters: 1, capabilities: SELDOM_ASKED });
  await submitRuns(lab, wave(rates(0.1, 0.2)));
  await eachSecond(lab, 605);
  const ids = (await readExperiments(lab)).map(({ id }) => id);
  expect((await readExperiments(lab)).map(({ state }) => state)).toEqual(['done', 'running', 'queued']);
  await cancelExperiments(lab, ids);
  expect((await readExperiments(lab)).map(({ state }) => state)).toEqual(['done', 'done', 'cancelled']);
});

it('ends only idle clusters when told so, and says in a dry run what would end', async () => {
  const { lab } = await createTestLab({
    clusters: 2,
    run: (task) => ({ seconds: task.name === 'exp-0001' ? 10 : 600, log: wrapperLine(task) + summaryBlock(1) }),
  });
  await submitRuns(lab, wave(rates(0.1)));
  await afterRuns(lab, 60);
  const all = { clusters: [], idleOnly: false, all: true, dryRun: true };
  expect((await tearDown(lab, all)).experiments.map(({ id }) => id)).toEqual(['exp-0002']);
  expect((await tearDown(lab, { ...all, idleOnly: true, dryRun: false })).clusters.map(({ id }) => id)).toEqual([
    'gpu-01',
  ]);
  expect((await readExperiments(lab)).map(({ state }) => state)).toEqual(['done', 'running']);
});

it('refuses a wave past max_experiments with the sums', async () => {
  const { lab } = await createTestLab({
    files: { 'autoresearch.yaml': 'campaign: test\nlimits: { max_experiments: 3 }\n' },
  });
  await expect(submitRuns(lab, wave(rates(1, 2, 3)))).rejects.toMatchObject({
    code: 'over_budget',
    message: expect.stringContaining('4 more would make 4'),
  });
});

it('says what finished since the caller last asked, and nothing twice', async () => {
  const { lab } = await createTestLab({ clusters: 1 });
  await submitRuns(lab, wave(rates(0.1)));
  await afterRuns(lab, 350);
  const first = await campaignStatus(lab, null);
  await afterRuns(lab, 350);
  const second = await campaignStatus(lab, first.cursor);
  expect([first, second].map(({ finished }) => finished.map(({ experiment }) => experiment.id))).toEqual([
    ['exp-0001'],
    ['exp-0002'],
  ]);
});

it('keeps no secret of its environment that a job printed', async () => {
  const { lab } = await createTestLab({
    run: (task) => ({ seconds: 1, log: `${wrapperLine(task)}using very-secret\n${summaryBlock(1)}` }),
  });
  await submitRuns(lab, wave(rates(0.1)));
  await afterRuns(lab);
  expect(await lab.store.readText(ExperimentId.parse('exp-0002'), 'log.txt')).toContain('using [SOME_TOKEN]\n');
});

it('keeps the log and the diff of each experiment where a person can read them', async () => {
  const { lab, directory } = await createTestLab();
  await submitRuns(lab, wave(rates(0.1)));
  await afterRuns(lab);
  const folder = join(directory, '.autoresearch', 'experiments', 'exp-0002');
  expect(readFileSync(join(folder, 'diff.patch'), 'utf8')).toContain(
    '-LEARNING_RATE = 0.04  # step size\n+LEARNING_RATE = 0.1  # step size',
  );
  expect(readFileSync(join(folder, 'log.txt'), 'utf8')).toContain('val_bpb:          1.000000');
});

it('runs the base again in another campaign, but answers the rest with what the project knows', async () => {
  const { lab, directory, another } = await createTestLab();
  await submitRuns(lab, wave(rates(0.1)));
  await afterRuns(lab);
  await lab.store.lease.release();
  writeFileSync(join(directory, 'autoresearch.yaml'), 'campaign: other\n');
  const other = await another();
  const { wave: stored, duplicates } = await submitRuns(other, wave(rates(0.1)));
  expect(experimentsOf(stored ?? expect.fail()).map(({ id, isBaseline }) => [id, isBaseline])).toEqual([
    ['exp-0003', true],
  ]);
  expect(duplicates.map(({ of }) => of.id)).toEqual(['exp-0002']);
});

it('goes on in another campaign of the same project with ids that no campaign has used', async () => {
  const { lab, directory, another } = await createTestLab();
  await submitRuns(lab, wave(rates(0.1)));
  await lab.store.lease.release();
  writeFileSync(join(directory, 'autoresearch.yaml'), 'campaign: other\n');
  const other = await another();
  const { wave: stored } = await submitRuns(other, wave(rates(0.2)));
  expect([stored?.wave.id, Object.keys(stored?.experiments ?? {})]).toEqual(['wave-002', ['exp-0003', 'exp-0004']]);
});

it('says so when the project’s code is no longer the incumbent’s', async () => {
  const { lab, directory } = await createTestLab({ clock: virtualClock() });
  await submitRuns(lab, wave(rates(0.1)));
  await afterRuns(lab);
  writeFileSync(join(directory, 'train.py'), `${TRAIN_PY}MUON = True\n`);
  expect((await submitRuns(lab, wave(rates(0.2)))).baseIsIncumbent).toBe(false);
});

it('refuses to write through a state folder that was taken away and is a file now', async () => {
  const { lab, directory } = await createTestLab();
  rmSync(join(directory, '.autoresearch'), { recursive: true, force: true });
  writeFileSync(join(directory, '.autoresearch'), '');
  await expect(submitRuns(lab, wave(rates(0.1)))).rejects.toMatchObject({ code: 'invalid_project' });
});
