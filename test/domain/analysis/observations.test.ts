import { describe, expect, it } from 'vitest';
import { blocksOfFleet, observationsOf } from '../../../src/domain/analysis/observations.js';
import { clusterId, SnapshotHash } from '../../../src/domain/ids.js';
import { done, makeExperiment } from '../make-experiment.js';

const blockOf = () => 'h1';

describe('observations', () => {
  it('are the experiments that are done with a finite value of the metric, in order', () => {
    const experiments = [
      done(3, 0.98, { levels: { DEPTH: 8 }, accelerators: 'H100:1' }),
      makeExperiment(1, { state: 'running' }),
      makeExperiment(2, { state: 'crashed', metrics: { val_bpb: 0.5 } }),
      makeExperiment(5, { state: 'done', metrics: { loss: 2 } }),
      done(4, 0.97),
    ];
    expect(observationsOf(experiments, { metric: 'val_bpb', blockOf })).toEqual([
      {
        experimentId: 'exp-0003',
        config: 'a'.repeat(64),
        block: 'h1',
        accelerators: 'H100:1',
        numSteps: null,
        levels: { DEPTH: 8 },
        value: 0.98,
      },
      expect.objectContaining({ experimentId: 'exp-0004', value: 0.97, levels: {} }),
    ]);
  });

  it('leave out a value that is not finite, which a record from elsewhere may hold', () => {
    const broken = { ...done(1, 0.9), metrics: { val_bpb: Number.NaN } };
    expect(observationsOf([broken], { metric: 'val_bpb', blockOf })).toEqual([]);
  });

  it('take what makes two runs replicates from the caller, the snapshot’s hash if nothing is said', () => {
    const two = [done(1, 0.98), done(2, 0.97, { snapshot: SnapshotHash.parse('c'.repeat(64)) })];
    const configs = (configOf?: () => string) =>
      observationsOf(two, { metric: 'val_bpb', blockOf, ...(configOf ? { configOf } : {}) }).map(
        ({ config }) => config,
      );
    expect(configs()).toEqual(['a'.repeat(64), 'c'.repeat(64)]);
    expect(configs(() => 'same model')).toEqual(['same model', 'same model']);
  });

  it('carry the steps of training, null where there are none', () => {
    const runs = [1200, 0].map((steps, n) => done(n + 1, 0.98, { metrics: { val_bpb: 0.98, num_steps: steps } }));
    expect(observationsOf(runs, { metric: 'val_bpb', blockOf }).map(({ numSteps }) => numSteps)).toEqual([1200, null]);
  });

  it('tell the lives of a cluster apart, and its accelerators', () => {
    const [one, two] = [clusterId(1), clusterId(2)];
    const block = blocksOfFleet([
      { id: one, launchedAt: 100 },
      { id: two, launchedAt: 150 },
      { id: one, launchedAt: 500 },
    ]);
    const on = (cluster: typeof one, startedAt: number, accelerators = 'H100:1') =>
      block(done(1, 0.98, { cluster, startedAt, accelerators }));
    expect(on(one, 120)).toBe(on(one, 499));
    expect(new Set([on(one, 120), on(one, 500), on(two, 500), on(one, 120, 'H200:1')]).size).toBe(4);
  });
});
