import { expect, it } from 'vitest';
import type { Literal } from '../../src/domain/experiment.js';
import { filterRuns, groupRuns, type QueriedRun, sortRuns, type Where } from '../../src/domain/query.js';
import { done, makeExperiment } from './make-experiment.js';

const run = (experiment: QueriedRun['experiment'], levels: Record<string, Literal> = {}): QueriedRun => ({
  experiment,
  value: experiment.metrics?.['val_bpb'] ?? null,
  levels,
});
const ids = (runs: readonly QueriedRun[]) => runs.map(({ experiment }) => experiment.id);

const ALL: Where = {
  states: null,
  campaign: null,
  waveId: null,
  accelerators: null,
  decision: null,
  text: null,
  levels: {},
};

const RUNS = [
  run(done(1, 1, { description: 'Baseline', accelerators: 'H100:1' }), { DEPTH: 8, SHAPE: [1, 2] }),
  run(done(2, 0.9, { accelerators: 'H100:8', campaign: 'day' }), { DEPTH: 12, SHAPE: [1, 3] }),
  run(makeExperiment(3, { state: 'crashed', accelerators: 'H1000:1' }), { DEPTH: 16 }),
  run(done(4, 0.9, { decision: { kind: 'keep', reason: 'x', at: 1, verdict: 'win', against: null, commit: null } }), {
    DEPTH: 'deep',
  }),
  run(done(5, 0.95)),
];

it.each<[string, Partial<Where>, number[]]>([
  ['nothing', {}, [1, 2, 3, 4, 5]],
  ['a state', { states: ['crashed'] }, [3]],
  ['a campaign', { campaign: 'day' }, [2]],
  ['an accelerator in any number', { accelerators: 'h100' }, [1, 2]],
  ['accelerators with their number', { accelerators: 'H100:8' }, [2]],
  ['a decision', { decision: 'keep' }, [4]],
  ['no decision', { decision: 'none' }, [1, 2, 3, 5]],
  ['a part of the description, case aside', { text: 'baSE' }, [1]],
  ['a value', { levels: { DEPTH: { oneOf: [8] } } }, [1]],
  ['a list as a value', { levels: { SHAPE: { oneOf: [[1, 3]] } } }, [2]],
  ['a range, which a word is never in', { levels: { DEPTH: { min: 9, max: null } } }, [2, 3]],
  ['both ends of a range', { levels: { DEPTH: { min: 8, max: 12 } } }, [1, 2]],
  ['several at once', { campaign: 'night', levels: { DEPTH: { min: 8, max: 16 } } }, [1, 3]],
])('finds the runs by %s', (_, where, expected) => {
  expect(ids(filterRuns(RUNS, { ...ALL, ...where }))).toEqual(expected.map((n) => `exp-000${n}`));
});

it('puts the best first, the later of two equal ones, and what has no result last', () => {
  expect(ids(sortRuns(RUNS, 'metric', 'minimize'))).toEqual([
    'exp-0004',
    'exp-0002',
    'exp-0005',
    'exp-0001',
    'exp-0003',
  ]);
  expect(ids(sortRuns(RUNS, 'metric', 'maximize'))[0]).toBe('exp-0001');
  expect(ids(sortRuns(RUNS, 'planned', 'minimize'))[0]).toBe('exp-0005');
});

it('orders by a constant as numbers, with what has none last', () => {
  expect(ids(sortRuns(RUNS, 'DEPTH', 'minimize')).slice(0, 3)).toEqual(['exp-0001', 'exp-0002', 'exp-0003']);
  expect(ids(sortRuns(RUNS, 'DEPTH', 'minimize')).at(-1)).toBe('exp-0005');
});

it('says of each level how many runs gave a result, their mean, the best of them and how many crashed', () => {
  const runs = [
    run(done(1, 0.98), { A: 64 }),
    run(done(2, 0.96), { A: 64 }),
    run(makeExperiment(3, { state: 'crashed' }), { A: 128 }),
    run(makeExperiment(4, { state: 'timed_out' }), { A: 64 }),
    run(makeExperiment(5, { state: 'running' }), { A: 8 }),
    run(done(6, 0.5)),
  ];
  const { groups, without } = groupRuns(runs, 'A', 'minimize');
  expect(groups.map(({ level, n, mean, best, crashes }) => [level, n, mean, best?.experiment.id, crashes])).toEqual([
    [8, 0, null, undefined, 0],
    [64, 2, expect.closeTo(0.97, 12), 'exp-0002', 1],
    [128, 0, null, undefined, 1],
  ]);
  expect(without).toBe(1);
});
