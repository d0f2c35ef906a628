import { expect, it } from 'vitest';
import { planDesign } from '../../src/domain/design/expand-design.js';
import { printedConstants } from '../../src/domain/training-log.js';
import { experimentsOf } from '../../src/domain/wave.js';
import { readExperiments } from '../../src/lab/lab.js';
import type { Plan } from '../../src/lab/plan-runs.js';
import { submitRun, submitRuns } from '../../src/lab/submit-runs.js';
import type { SimulatedOptions } from '../support/simulated-backend.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab } from '../support/test-lab.js';
import { after, requestOf, waveOf } from '../support/waves.js';

const TRAIN = `SIZE = "hopper"
LEARNING_RATE = {"cpu": 0.06}.get(SIZE, 0.04)  # only a run can say
DEPTH = 2 * len(SIZE)
print("---")
`;

/** Runs of 60 s that print their constants: a description that is a number is the learning rate, else the base's on that machine is. */
const printingLab = (more: Partial<SimulatedOptions> = {}) =>
  createTestLab({
    kinds: { 'H100:1': 1, 'CPU:1': 1 },
    capabilities: { choosesAccelerators: true },
    files: { 'train.py': TRAIN },
    run: (task, accelerators) => {
      const rate = Number(task.envs['EXPERIMENT_DESC']) || (accelerators === 'CPU:1' ? 0.06 : 0.04);
      const constants = { SIZE: 'hopper', LEARNING_RATE: rate, DEPTH: 12 };
      return { seconds: 60, log: `${wrapperLine(task)}${summaryBlock(0.98)}config: ${JSON.stringify(constants)}\n` };
    },
    ...more,
  });

const ran = ({ wave, duplicates }: Plan) => ({
  ran: wave ? experimentsOf(wave).map(({ id, description }) => `${id} ${description}`) : [],
  answered: duplicates.map(({ description, of }) => `${description} by ${of.id}`),
});

const H100 = { accelerators: ['H100:1'] };

it('answers what only spells out what an earlier run printed of its constants', async () => {
  const { lab } = await printingLab();
  await submitRuns(lab, waveOf([0.1], { ...H100, withBaseline: true }));
  await after(lab, 2000);
  await expect(submitRun(lab, waveOf([0.04], H100))).rejects.toMatchObject({
    code: 'duplicate',
    message: 'exp-0001 runs or ran this (exp-0001 printed LEARNING_RATE 0.04 itself): done, val_bpb 0.98.',
  });
  const requests = [12, 8].map((depth) => requestOf({ LEARNING_RATE: 0.1, DEPTH: depth }));
  const both = waveOf([], { ...H100, requests });
  expect(ran(await submitRuns(lab, both))).toEqual({
    ran: ['exp-0003 {"LEARNING_RATE":0.1,"DEPTH":8}'],
    answered: ['{"LEARNING_RATE":0.1,"DEPTH":12} by exp-0002'],
  });
});

it('does not say of a machine what was printed on another', async () => {
  const { lab } = await printingLab();
  await submitRuns(lab, waveOf([], { ...H100, withBaseline: true }));
  await after(lab, 2000);
  const both = { accelerators: ['H100:1', 'CPU:1'] };
  expect(ran(await submitRuns(lab, waveOf([0.04], both))).answered).toEqual([]);
  expect(ran(await submitRuns(lab, waveOf([0.06], { accelerators: ['CPU:1'] }))).answered).toEqual([]);
});

it('makes the point of a design that spells out the incumbent its sentinel, with the incumbent’s code', async () => {
  const { lab } = await printingLab({ capabilities: { choosesAccelerators: false }, kinds: { 'H100:1': 2 } });
  await submitRuns(lab, waveOf([], { withBaseline: true }));
  await after(lab, 2000);
  const factors = { LEARNING_RATE: [0.04, 0.1], DEPTH: [8, 12] };
  const { kind, requests, runOrder } = planDesign({ kind: 'full_factorial', factors });
  const { wave } = await submitRuns(lab, waveOf([], { kind, requests, runOrder, sentinels: 0 }));
  await after(lab, 2000);
  const runs = await readExperiments(lab);
  const sentinels = runs.filter(({ isSentinel }) => isSentinel);
  expect(wave && experimentsOf(wave)).toHaveLength(4);
  expect(sentinels.map(({ levels, replicateOf }) => ({ levels, replicateOf }))).toEqual([
    { levels: { LEARNING_RATE: 0.04, DEPTH: 12 }, replicateOf: 'exp-0001' },
  ]);
  expect(sentinels.map(({ snapshot, identity }) => [snapshot, identity])).toEqual([
    [runs[0]?.snapshot, runs[0]?.identity],
  ]);
});

it('goes by the newest block of a log, and takes what is no JSON for nothing printed', () => {
  const log = 'config: {"A": 1}\n---\nconfig: {"A": 2, "B": [0.8, 0.95], "C": "x"}\n';
  expect(printedConstants(log)).toEqual({ A: 2, B: [0.8, 0.95], C: 'x' });
  expect(printedConstants('config: {"A": 1}\n---\nval_bpb: 1\n')).toBeNull();
  expect(printedConstants('---\nconfig: DEPTH=8\n')).toBeNull();
});
