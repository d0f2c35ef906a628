import { expect, it } from 'vitest';
import { rankConfigs } from '../../../src/domain/analysis/ranking.js';
import { findingsOf } from '../../../src/domain/analysis/report-findings.js';
import { waveId } from '../../../src/domain/ids.js';
import { analysisOf, type PlantedRun, plantedWave } from '../../support/planted-wave.js';

type Report = Parameters<typeof findingsOf>[0];

const METRIC = { name: 'val_bpb', goal: 'minimize' } as const;
const host = 0;
/** Two levels of LR and of WD, one run each, and one of a depth that crashed. */
const WAVE = plantedWave(
  1,
  1,
  [
    { config: 0, host, value: 1, about: { isSentinel: true } },
    { config: 1, host, value: 0.9, levels: { LR: 0.05, WD: 0.1 }, about: { accelerators: 'H200:1' } },
    { config: 2, host, value: 0.95, levels: { LR: 0.03, WD: 0.2 } },
    {
      config: 3,
      host,
      value: null,
      about: { overrides: { DEPTH: 48 }, crash: { cause: 'out_of_memory', message: 'CUDA out of memory', tail: '' } },
    },
  ],
  { description: 'do large steps pay?' },
);

const nothing = (waves = [WAVE]): Report => {
  const analysis = analysisOf(waves);
  return {
    analysis,
    ranking: rankConfigs(analysis, null),
    repetition: null,
    effects: null,
    trends: [],
    hardware: null,
    crashes: [],
  };
};

const effects = (interval: readonly [number, number] | null, name = 'LR', estimate = -0.0021): Report => ({
  ...nothing(),
  effects: {
    waveId: waveId(1),
    machines: 'none',
    effects: [{ name, estimate, se: 0.0004, interval, p: 0.01, aliases: name === 'LR' ? ['A×B'] : [] }],
    lost: [],
    hasInteractions: true,
    noise: null,
    lenth: null,
    n: 2,
    leftOut: 0,
  },
});

const NONE: ReadonlySet<string> = new Set();

const said = (
  report: Report,
  kind: string,
  goal: 'minimize' | 'maximize' = 'minimize',
  standing: ReadonlySet<string> = NONE,
) => findingsOf(report, [WAVE], { ...METRIC, goal }, standing).filter((draft) => draft.kind === kind);

it('notes an effect between its levels, with what it cannot be told from, and one that is not shown as that', () => {
  expect(said(effects([-0.003, -0.0012]), 'effect')).toEqual([
    {
      kind: 'effect',
      subject: 'effect:LR 0.03→0.05',
      claim: 'lowers',
      text: 'LR 0.03 → 0.05 lowers val_bpb by 0.0021, which is better (95 % -0.003 to -0.0012); aliased with A×B.',
      interval: [-0.003, -0.0012],
      n: 2,
      experimentIds: ['exp-0001', 'exp-0002', 'exp-0003'],
      by: 'server',
      refutes: null,
    },
  ]);
  expect(said(effects([-0.003, -0.0012]), 'effect', 'maximize')[0]?.text).toContain('by 0.0021, which is worse');
  expect(said(effects([-0.005, 0.001]), 'effect')).toMatchObject([
    {
      subject: 'effect:LR 0.03→0.05',
      claim: 'not shown',
      text: expect.stringContaining('has no effect on val_bpb that'),
    },
  ]);
});

it('notes no effect without an interval, and an interaction only where it is shown, with what it means', () => {
  expect(said(effects(null), 'effect')).toEqual([]);
  const unseen = effects([-0.005, 0.001], 'LR×WD');
  expect(said(unseen, 'effect')).toEqual([]);
  // Where it once was, it is news.
  expect(said(unseen, 'effect', 'minimize', new Set(['effect:LR 0.03→0.05×WD 0.1→0.2']))).toMatchObject([
    { claim: 'not shown', text: expect.stringMatching(/^LR and WD have no interaction that/) },
  ]);
  expect(said(effects([-0.005, -0.001], 'LR×WD'), 'effect')).toMatchObject([
    {
      subject: 'effect:LR 0.03→0.05×WD 0.1→0.2',
      text: 'LR and WD interact: with WD 0.2, LR 0.03 → 0.05 changes val_bpb by −0.0021 beyond its mean effect (95 % -0.005 to -0.001).',
    },
  ]);
});

it('takes one label of several against the first', () => {
  const file = plantedWave(1, 1, [
    { config: 1, host, value: 1, levels: { ACT: 'relu' } },
    { config: 2, host, value: 1, levels: { ACT: 'gelu' } },
  ]);
  const report = effects([0.001, 0.003], 'ACT[gelu]', 0.002);
  expect(findingsOf(report, [file], METRIC, NONE).find(({ kind }) => kind === 'effect')?.text).toBe(
    'ACT relu → gelu raises val_bpb by 0.002, which is worse (95 % 0.001 to 0.003).',
  );
});

it('notes what each wave asked and how once it has ended, and nothing of one that is under way', () => {
  expect(said(nothing(), 'wave')).toMatchObject([
    {
      subject: 'wave:wave-001',
      text: '“do large steps pay?” wave-001, a full factorial over LR (0.05, 0.03), WD (0.1, 0.2); 4 runs, 3 with a result. The best as printed: exp-0002 0.900000, run 2.',
      n: 4,
    },
  ]);
  const ended = plantedWave(1, 1, [{ config: 0, host, value: null }]);
  const running = structuredClone(ended);
  for (const run of Object.values(running.experiments)) run.state = 'running';
  expect(findingsOf(nothing([running]), [running], METRIC, NONE)).toEqual([]);
});

it('notes the noise with what it means for two values, and what beats the incumbent beyond doubt', () => {
  const runs = [1, 1.0001, 0.9999, 1.0002].map((value): PlantedRun => ({ config: 0, host, value }));
  const better = [0.99, 0.9901].map((value): PlantedRun => ({ config: 1, host, value }));
  const worse = [1.01, 1.0101].map((value): PlantedRun => ({ config: 2, host, value }));
  const wave = plantedWave(1, 1, [...runs, ...better, ...worse]);
  const drafts = findingsOf(nothing([wave]), [wave], METRIC, new Set(['result:exp-0007 against exp-0001']));
  expect(drafts.find(({ kind }) => kind === 'noise')?.text).toBe(
    'Equal runs on one machine scatter by SD 0.00011 in val_bpb (5 df, 95 % 0.0000684 to 0.000269): two single runs less than 0.000398 apart cannot be told from each other.',
  );
  const results = drafts.filter(({ kind }) => kind === 'result');
  expect(results.map(({ subject, claim }) => [subject, claim])).toEqual([
    ['result:exp-0005 against exp-0001', 'win'],
    ['result:exp-0007 against exp-0001', 'no win'],
  ]);
  expect(results[0]).toMatchObject({ n: 2, experimentIds: ['exp-0005', 'exp-0006'] });
  expect(results[0]?.text).toMatch(
    /^exp-0005 \(run 5\) beats exp-0001: −0\.01 val_bpb with the machines taken out \(P>0\.99, df 5\)\.$/,
  );
});

it('notes what a gain came to that was run again, and leaves open what is open', () => {
  const report = nothing();
  const config = report.ranking.configs.find(({ experiments }) => experiments[0] === 'exp-0002');
  if (!config) throw new Error('It was planted.');
  const fresh = {
    verdict: 'win',
    difference: -0.09,
    standardError: 0.01,
    df: 4,
    pBetter: 0.999,
    n: 2,
    incumbentN: 2,
    replicates: null,
  } as const;
  const row = { config, before: -0.1, fresh };
  const held = { waveId: waveId(1), rows: [{ ...row, outcome: 'held_up' } as const] };
  expect(said({ ...report, repetition: held }, 'result')).toMatchObject([
    {
      subject: 'repeat:wave-001:exp-0002',
      claim: 'held_up',
      text: 'Run again in wave-001, exp-0002 (run 2) held up: −0.09 val_bpb by 2 fresh runs alone (P>0.99), −0.1 before.',
    },
  ]);
  expect(said({ ...report, repetition: { ...held, rows: [{ ...row, outcome: 'open' }] } }, 'result')).toEqual([]);
});

it('notes an accelerator that differs beyond its error, and where runs crash', () => {
  const row = { n: 4, steps: null, stepMilliseconds: null };
  const report: Report = {
    ...nothing(),
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
  const rows = [...said(report, 'hardware'), ...said(report, 'crash')];
  expect(rows.map(({ text, claim, n, experimentIds }) => [text, claim, n, experimentIds])).toEqual([
    [
      'Equal code scores val_bpb 0.005 lower on H200:1 than on H100:1 (SE 0.0004).',
      'lower than H100:1',
      4,
      ['exp-0002'],
    ],
    ['DEPTH 48: 1 of 1 run crashed (out_of_memory).', 'always', 1, ['exp-0004']],
  ]);
});

it('notes a trend that has a shape by where its best level is with the means, and says nothing of one that nobody knows', () => {
  const trend = {
    factor: 'LR',
    scale: 'linear',
    n: 2,
    levels: [
      { level: 0.03, mean: 0.95, n: 1 },
      { level: 0.05, mean: 0.9, n: 1 },
    ],
    turnsAt: null,
    tests: null,
    rank: null,
    noise: null,
  } as const;
  const inside = { ...trend, shape: 'optimum_inside', best: 0.05, advice: 'The optimum is inside.' } as const;
  expect(said({ ...nothing(), trends: [inside] }, 'trend')).toMatchObject([
    {
      subject: 'trend:LR',
      claim: 'optimum_inside 0.05',
      text: 'LR: The optimum is inside. Mean val_bpb at 0.03: 0.950000, 0.05: 0.900000.',
      experimentIds: ['exp-0002', 'exp-0003'],
    },
  ]);
  expect(said({ ...nothing(), trends: [{ ...inside, shape: 'unknown' }] }, 'trend')).toEqual([]);
});
