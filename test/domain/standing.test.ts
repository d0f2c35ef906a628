import { describe, expect, it } from 'vitest';
import { experimentId } from '../../src/domain/ids.js';
import { leaderboard, standings } from '../../src/domain/standing.js';
import { done, makeExperiment } from './make-experiment.js';

const minimize = { metric: { name: 'val_bpb', goal: 'minimize' }, incumbent: experimentId(1) } as const;
const all = [done(1, 1.0), done(2, 0.75), makeExperiment(3, { state: 'crashed' }), done(4, 1.5), done(5, 0.75)];

describe('standing against the incumbent', () => {
  it('is a difference and no verdict, and null for the incumbent and for what has no result', () => {
    expect(standings(all, all, minimize).map(({ value, delta, verdict }) => [value, delta, verdict])).toEqual([
      [1, null, null],
      [0.75, -0.25, null],
      [null, null, null],
      [1.5, 0.5, null],
      [0.75, -0.25, null],
    ]);
  });

  it('knows no difference without an incumbent that has a result', () => {
    for (const incumbent of [null, experimentId(3), experimentId(99)])
      expect(standings([done(2, 0.75)], all, { ...minimize, incumbent })[0]?.delta).toBeNull();
  });

  it('ranks the best first, the earlier of equals, and nothing without a result', () => {
    expect(leaderboard(all, minimize).map(({ experiment }) => experiment.id)).toEqual([
      'exp-0002',
      'exp-0005',
      'exp-0001',
      'exp-0004',
    ]);
    const maximize = { ...minimize, metric: { name: 'val_bpb', goal: 'maximize' } } as const;
    expect(leaderboard(all, maximize)[0]?.experiment.id).toBe('exp-0004');
  });

  it('takes no value from a run that is not done, whatever it printed', () => {
    const refused = makeExperiment(6, { state: 'refused', metrics: { val_bpb: 0.1 } });
    expect(leaderboard([refused], minimize)).toEqual([]);
  });
});
