import { describe, expect, it } from 'vitest';
import { analyseCampaign, priorFrom } from '../../../src/domain/analysis/campaign-analysis.js';
import { rankConfigs } from '../../../src/domain/analysis/ranking.js';
import { waveOutcomes } from '../../../src/domain/analysis/wave-outcomes.js';
import { experimentId, SnapshotHash } from '../../../src/domain/ids.js';
import { experimentsOf } from '../../../src/domain/wave.js';
import { analysisOf, type PlantedRun, plantedWave } from '../../support/planted-wave.js';

const runs = (config: number, host: number, values: readonly (number | null)[]): PlantedRun[] =>
  values.map((value) => ({ config, host, value }));
const METRIC = { name: 'val_bpb', goal: 'minimize' } as const;

/** Four runs of the base and of one that is better by 0.01, on one machine; and one that crashed. */
const wave = plantedWave(1, 1, [
  ...runs(0, 0, [1, 1.0002, 0.9999, 1.0001]),
  ...runs(1, 0, [0.99, 0.9902, 0.9899, 0.9901]),
  ...runs(2, 0, [null]),
]);

describe('a campaign', () => {
  it('is judged by configuration: each run of a winner has its verdict, the incumbent’s and a crash have none', () => {
    const { judgements, noise } = analysisOf([wave]);
    expect(noise?.df).toBe(6);
    expect([...judgements].map(([id, { verdict, n }]) => [id, verdict, n])).toEqual(
      [5, 6, 7, 8].map((n) => [experimentId(n), 'win', 4]),
    );
  });

  it('has no verdict without a noise floor, and one with a prior', () => {
    const single = plantedWave(1, 1, [...runs(0, 0, [1]), ...runs(1, 0, [0.9])]);
    expect(analysisOf([single]).judgements.get(experimentId(2))?.verdict).toBeNull();
    // However low, one run is to be run again.
    expect(analysisOf([single], 1e-4).judgements.get(experimentId(2))).toMatchObject({
      verdict: 'retest',
      replicates: 1,
    });
  });

  it('takes runs of equal identity as one configuration, whatever their snapshots, and nothing from a file that was read in', () => {
    const identity = 'the same but for a comment';
    const file = plantedWave(1, 1, [
      { config: 0, host: 0, value: 1, about: { identity } },
      { config: 7, host: 0, value: 1.0002, about: { identity } },
      { config: 8, host: 0, value: 0.5, about: { imported: true } },
    ]);
    const { configs, noise } = analysisOf([file]);
    expect([...configs.keys()]).toEqual([identity]);
    expect(noise?.df).toBe(1);
  });

  it('counts the wins, and ranks without the incumbent', () => {
    const ranking = rankConfigs(analysisOf([wave]), null);
    expect(ranking.verdicts).toEqual({ win: 1, tie: 0, loss: 0, retest: 0 });
    expect(ranking.configs.map(({ experiments }) => experiments[0])).toEqual([experimentId(5)]);
    expect(rankConfigs(analysisOf([wave]), new Set([SnapshotHash.parse('9'.repeat(64))])).configs).toEqual([]);
  });
});

describe('a prior from earlier campaigns', () => {
  const earlier = { experiments: experimentsOf(wave), fleet: [], metric: METRIC, incumbent: null };

  it('is their pooled noise, of the same metric only', () => {
    const floor = analyseCampaign({ ...earlier, incumbent: experimentId(1) }, null).noise;
    expect(priorFrom([earlier], METRIC)).toBeCloseTo(floor?.sd ?? 0, 12);
    expect(priorFrom([earlier], { ...METRIC, name: 'accuracy' })).toBeNull();
  });

  it('is none where they had fewer degrees of freedom than a prior counts for', () => {
    const few = { ...earlier, experiments: earlier.experiments.slice(0, 7) };
    expect(priorFrom([few], METRIC)).toBeNull();
  });
});

it('counts a wave of replicates to the one before, and leaves out one that is under way', () => {
  const again = plantedWave(2, 10, runs(1, 0, [0.9901]));
  const open = plantedWave(3, 11, [{ config: 3, host: 0, value: null, about: {} }]);
  for (const run of Object.values(open.experiments)) Object.assign(run, { state: 'running', endedAt: null });
  const outcomes = waveOutcomes(analysisOf([wave, again]), [wave, again, open], { H100: 3.6 }, 400_000);
  expect(outcomes).toMatchObject([{ name: 'wave-001', experiments: 10 }]);
  // Ten runs of 300 s at $3.60 an hour.
  expect(outcomes[0]?.costUsd).toBeCloseTo(3, 9);
  expect(outcomes[0]?.best).toBeCloseTo(0.99, 3);
});
