import { expect, it } from 'vitest';
import { findingsOf } from '../../../src/domain/analysis/report-findings.js';
import { waveId } from '../../../src/domain/ids.js';
import { done, makeExperiment } from '../make-experiment.js';

type Report = Parameters<typeof findingsOf>[0];

const RUNS = [
  done(1, 1, { levels: { LR: 0.03 }, accelerators: 'H100:1' }),
  done(2, 0.9, { levels: { LR: 0.05 }, accelerators: 'H200:1' }),
  makeExperiment(3, {
    state: 'crashed',
    overrides: { DEPTH: 48 },
    crash: { cause: 'out_of_memory', message: 'CUDA out of memory', tail: '' },
  }),
];
const NOTHING: Report = { effects: null, trends: [], hardware: null, crashes: [] };

const effects = (interval: readonly [number, number] | null, name = 'LR'): Report => ({
  ...NOTHING,
  effects: {
    waveId: waveId(1),
    machines: 'none',
    effects: [{ name, estimate: -0.0021, se: 0.0004, interval, p: 0.01, aliases: name === 'LR' ? ['A×B'] : [] }],
    lost: [],
    hasInteractions: true,
    noise: null,
    lenth: null,
    n: 2,
    leftOut: 0,
  },
});

it('notes an effect whose interval leaves out 0 with what it cannot be told from, and one that is not shown as that', () => {
  expect(findingsOf(effects([-0.003, -0.0012]), RUNS, 'val_bpb')).toEqual([
    {
      kind: 'effect',
      subject: 'effect:LR',
      claim: 'lowers',
      text: 'LR lowers val_bpb by 0.0021 from its first level to its last (95 % -0.003 to -0.0012); these runs cannot tell it from A×B.',
      n: 2,
      experimentIds: ['exp-0001', 'exp-0002'],
      by: 'server',
      refutes: null,
    },
  ]);
  expect(findingsOf(effects([-0.005, 0.001]), RUNS, 'val_bpb')[0]).toMatchObject({
    subject: 'effect:LR',
    claim: 'not shown',
  });
});

it('notes no effect without an interval, and no interaction that is not shown', () => {
  expect(findingsOf(effects(null), RUNS, 'val_bpb')).toEqual([]);
  expect(findingsOf(effects([-0.005, 0.001], 'LR×WD'), RUNS, 'val_bpb')).toEqual([]);
  expect(findingsOf(effects([-0.005, -0.001], 'LR×WD'), RUNS, 'val_bpb')).toHaveLength(1);
});

it('notes an accelerator that differs beyond its error, and where runs crash', () => {
  const row = { n: 4, steps: null, stepMilliseconds: null };
  const report: Report = {
    ...NOTHING,
    hardware: {
      reference: 'H100:1',
      rows: [
        { ...row, accelerator: 'H100:1', offset: 0, offsetSe: null },
        { ...row, accelerator: 'H200:1', offset: -0.005, offsetSe: 0.0004 },
        { ...row, accelerator: 'A100:1', offset: 0.001, offsetSe: 0.0007 },
        { ...row, accelerator: 'L4:1', offset: null, offsetSe: null },
      ],
    },
    crashes: [{ setting: 'DEPTH', level: '48', ran: 0, crashed: 1, causes: { out_of_memory: 1 } }],
  };
  expect(
    findingsOf(report, RUNS, 'val_bpb').map(({ text, claim, n, experimentIds }) => [text, claim, n, experimentIds]),
  ).toEqual([
    [
      'Equal code scores val_bpb 0.005 lower on H200:1 than on H100:1 (SE 0.0004).',
      'lower than H100:1',
      4,
      ['exp-0002'],
    ],
    ['DEPTH 48: 1 of 1 run crashed (out_of_memory).', 'always', 1, ['exp-0003']],
  ]);
});

it('notes a trend that has a shape by where its best level is, and says nothing of one that nobody knows', () => {
  const trend = {
    factor: 'LR',
    scale: 'linear',
    n: 2,
    levels: [],
    turnsAt: null,
    tests: null,
    rank: null,
    noise: null,
  } as const;
  const inside = { ...trend, shape: 'optimum_inside', best: 0.05, advice: 'the optimum is inside' } as const;
  expect(findingsOf({ ...NOTHING, trends: [inside] }, RUNS, 'val_bpb')).toMatchObject([
    {
      subject: 'trend:LR',
      claim: 'optimum_inside 0.05',
      text: 'LR: the optimum is inside',
      experimentIds: ['exp-0001', 'exp-0002'],
    },
  ]);
  expect(findingsOf({ ...NOTHING, trends: [{ ...inside, shape: 'unknown' }] }, RUNS, 'val_bpb')).toEqual([]);
});
