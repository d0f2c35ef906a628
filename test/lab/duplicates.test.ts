import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ExperimentId } from '../../src/domain/ids.js';
import { experimentsOf } from '../../src/domain/wave.js';
import { type Lab, readCampaign, readExperiments } from '../../src/lab/lab.js';
import type { PlanRequest } from '../../src/lab/plan-request.js';
import { submitRun, submitRuns } from '../../src/lab/submit-runs.js';
import { ALIASING_TRAIN, aliasingLab } from '../support/aliasing-lab.js';
import { TRAIN_PY } from '../support/simulated-lab.js';
import { createTestLab } from '../support/test-lab.js';
import { after, requestOf, waveOf } from '../support/waves.js';

type Values = Readonly<Record<string, number>>;

const asked = (points: readonly Values[], more: Partial<PlanRequest> = {}): PlanRequest =>
  waveOf([], {
    requests: points.map((overrides) => requestOf(overrides, { levels: overrides })),
    ...more,
  });

const run = async (lab: Lab, ask: PlanRequest) => {
  const plan = await submitRuns(lab, ask);
  await after(lab, 2000);
  return {
    ran: plan.wave ? experimentsOf(plan.wave).map(({ id, description }) => `${id} ${description}`) : [],
    answered: plan.duplicates.map(({ description, of, why }) => [description, of.id, why]),
  };
};

it('takes code that differs in comments and spaces only for what was run before, and goes on with the rest', async () => {
  const { lab, directory } = await createTestLab();
  await run(lab, waveOf([0.1]));
  writeFileSync(
    join(directory, 'train.py'),
    TRAIN_PY.replace('# step size', '# how far').replace('DEPTH = 8', 'DEPTH=8'),
  );
  writeFileSync(join(directory, 'README.md'), '# What this is\n');
  expect(await run(lab, waveOf([0.1, 0.2]))).toEqual({
    ran: ['exp-0002 0.2'],
    answered: [['0.1', 'exp-0001', null]],
  });
  await expect(submitRun(lab, waveOf([0.1]))).rejects.toMatchObject({
    code: 'duplicate',
    message: 'exp-0001 runs or ran this code: done, val_bpb 1.',
    hint: expect.stringContaining('replicate_of: exp-0001'),
  });
});

it('runs what differs in a value, however alike it looks', async () => {
  const { lab, directory } = await createTestLab();
  await run(lab, waveOf([0.1]));
  writeFileSync(join(directory, 'train.py'), TRAIN_PY.replace('DEPTH = 8', 'DEPTH = 9'));
  expect((await run(lab, waveOf([0.1]))).ran).toEqual(['exp-0002 0.1']);
});

it('asks twice at once for one code and runs it once', async () => {
  const { lab } = await aliasingLab();
  // The base writes 0.10.
  const { ran, answered } = await run(lab, asked([{ WARMUP: 0.1 }, { LEARNING_RATE: 0.04 }, { WARMUP: 0.2 }]));
  expect(ran).toEqual(['exp-0001 {"WARMUP":0.1}', 'exp-0002 {"WARMUP":0.2}']);
  expect(answered).toEqual([['{"LEARNING_RATE":0.04}', 'exp-0001', null]]);
});

it('answers another name of a model that was run with that run, and says how it knows', async () => {
  const { lab } = await aliasingLab();
  await run(lab, asked([{ ASPECT_RATIO: 64 }, { ASPECT_RATIO: 72 }, { ASPECT_RATIO: 80 }]));
  // Known of 72 and 80 by now; a learning rate never is an alias, whatever is printed.
  expect(await run(lab, asked([{ ASPECT_RATIO: 72, LEARNING_RATE: 0.1 }]))).toMatchObject({
    ran: ['exp-0004 {"ASPECT_RATIO":72,"LEARNING_RATE":0.1}'],
  });
  const { ran, answered } = await run(
    lab,
    asked([
      { ASPECT_RATIO: 80, LEARNING_RATE: 0.1 },
      { ASPECT_RATIO: 64, LEARNING_RATE: 0.1 },
    ]),
  );
  expect(ran).toEqual(['exp-0005 {"ASPECT_RATIO":64,"LEARNING_RATE":0.1}']);
  expect(answered).toEqual([
    [
      '{"ASPECT_RATIO":80,"LEARNING_RATE":0.1}',
      'exp-0004',
      'another ASPECT_RATIO is the same model: exp-0002 and exp-0003 printed one Model config',
    ],
  ]);
});

it('runs one of two names of a model that are both new, where earlier runs showed that they are one', async () => {
  const { lab } = await aliasingLab();
  await run(lab, asked([{ ASPECT_RATIO: 64 }, { ASPECT_RATIO: 72 }, { ASPECT_RATIO: 80 }]));
  const rate = { LEARNING_RATE: 0.2 };
  const { ran, answered } = await run(
    lab,
    asked([
      { ASPECT_RATIO: 72, ...rate },
      { ASPECT_RATIO: 80, ...rate },
      { ASPECT_RATIO: 64, ...rate },
    ]),
  );
  expect(ran).toEqual([
    'exp-0004 {"ASPECT_RATIO":72,"LEARNING_RATE":0.2}',
    'exp-0005 {"ASPECT_RATIO":64,"LEARNING_RATE":0.2}',
  ]);
  expect(answered.map(([description, of]) => [description, of])).toEqual([
    ['{"ASPECT_RATIO":80,"LEARNING_RATE":0.2}', 'exp-0004'],
  ]);
});

it('runs an experiment once more when that is asked for, as a replicate with its settings', async () => {
  const { lab } = await aliasingLab();
  await run(lab, asked([{ ASPECT_RATIO: 72 }]));
  const again = { description: 'again', overrides: {}, edits: [], workdir: null, levels: {} };
  await submitRun(lab, waveOf([], { requests: [{ ...again, replicateOf: ExperimentId.parse('exp-0001') }] }));
  const [first, second] = await readExperiments(lab);
  expect(second).toMatchObject({
    replicateOf: 'exp-0001',
    overrides: { ASPECT_RATIO: 72 },
    levels: { ASPECT_RATIO: 72 },
  });
  expect([second?.snapshot, second?.identity]).toEqual([first?.snapshot, first?.identity]);
});

it('knows an old experiment, of which no identity was recorded, by its files', async () => {
  const { lab } = await createTestLab();
  await run(lab, waveOf([0.1]));
  const waveId = (await readExperiments(lab))[0]?.waveId ?? expect.fail();
  await lab.store.updateWave(waveId, ({ experiments }) => {
    for (const old of Object.values(experiments)) old.identity = null;
  });
  expect((await run(lab, waveOf([0.1]))).answered).toEqual([['0.1', 'exp-0001', null]]);
});

it('is no new base for a comment, and is one for a value', async () => {
  const { lab, directory } = await aliasingLab();
  await run(lab, asked([{ WARMUP: 0.2 }], { withBaseline: true }));
  expect((await readCampaign(lab)).incumbent).toBe('exp-0001');
  writeFileSync(join(directory, 'train.py'), `${ALIASING_TRAIN}# the end\n`);
  expect((await submitRuns(lab, asked([{ WARMUP: 0.3 }]))).baseIsIncumbent).toBe(true);
  writeFileSync(join(directory, 'train.py'), ALIASING_TRAIN.replace('0.10', '0.11'));
  expect((await submitRuns(lab, asked([{ WARMUP: 0.3 }]))).baseIsIncumbent).toBe(false);
});
