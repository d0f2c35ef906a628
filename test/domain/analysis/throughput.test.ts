import { describe, expect, it } from 'vitest';
import { throughput } from '../../../src/domain/analysis/throughput.js';
import type { ExperimentState } from '../../../src/domain/experiment.js';

const MINUTE = 60_000;
const run = (startedAt: number | null, endedAt: number | null, state: ExperimentState = 'done') => ({
  plannedAt: 0,
  startedAt,
  endedAt,
  state,
});

describe('throughput', () => {
  it('is null before anything started', () => {
    expect(throughput([run(null, null)], [{ from: 0, to: null }], 5)).toBeNull();
  });

  it('compares what one GPU would have needed with what passed on the clock', () => {
    const runs = [run(0, 30 * MINUTE), run(0, 60 * MINUTE), run(30 * MINUTE, 60 * MINUTE)];
    expect(
      throughput(
        runs,
        [
          { from: 0, to: 60 * MINUTE },
          { from: 0, to: null },
        ],
        60 * MINUTE,
      ),
    ).toEqual({
      wallHours: 1,
      sequentialHours: 2,
      experimentsPerHour: 3,
      busyShare: 1,
      speedUp: 2,
    });
  });

  it('counts what still runs up to now, but not as finished, and idle clusters as up', () => {
    expect(
      throughput(
        [run(0, null)],
        [
          { from: 0, to: null },
          { from: 0, to: null },
        ],
        30 * MINUTE,
      ),
    ).toEqual({
      wallHours: 0.5,
      sequentialHours: 0.5,
      experimentsPerHour: 0,
      busyShare: 0.5,
      speedUp: 1,
    });
  });

  it('counts a run that was cancelled as time used, but not as an experiment done', () => {
    const runs = [run(0, 60 * MINUTE), run(0, 30 * MINUTE, 'cancelled')];
    expect(throughput(runs, [], 60 * MINUTE)).toMatchObject({ experimentsPerHour: 1, sequentialHours: 1.5 });
  });

  it('has no negative times where a machine keeps another clock', () => {
    const ahead = throughput(
      [run(9 * MINUTE, null), run(8 * MINUTE, 7 * MINUTE)],
      [{ from: 9 * MINUTE, to: 8 * MINUTE }],
      MINUTE,
    );
    expect(ahead).toMatchObject({ sequentialHours: 0, busyShare: null });
  });
});
