import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Metric } from '../../src/domain/campaign.js';
import { budgetOf, estimatesOf, hopelessBy } from '../../src/domain/hopeless.js';

const LOSS: Metric = { name: 'val_bpb', goal: 'minimize' };
const at = (fraction: number, value: number) => [{ fraction, value }];

describe('estimates', () => {
  it('are read behind SkyPilot’s prefix and between progress lines, of the campaign’s metric only', () => {
    const log =
      'step 1 (3%)\rstep 2 (25%)\n(task, pid=7) estimate 0.25 | val_bpb: 1.234\nestimate 0.25 | loss: 3\nestimate 0.5 | val_bpb: 1.1  \n';
    expect(estimatesOf(log, 'val_bpb')).toEqual([
      { fraction: 0.25, value: 1.234 },
      { fraction: 0.5, value: 1.1 },
    ]);
  });

  it('are read from what train.py really printed', () => {
    const log = readFileSync(new URL('../../python-core/tests/fixtures/run.log', import.meta.url), 'utf8');
    expect(estimatesOf(log, 'val_bpb')).toEqual([
      { fraction: 0.25, value: 3.329521 },
      { fraction: 0.5, value: 3.058798 },
      { fraction: 0.75, value: 2.836179 },
    ]);
    expect(budgetOf(log)).toMatch(/^\d+s$/);
    expect(budgetOf('no word of it\nA Time budget: 5s\n')).toBeNull();
  });

  it.each([
    'estimate 0.25 | val_bpb: nan',
    'estimate 0 | val_bpb: 1',
    'estimate 1.5 | val_bpb: 1',
    'an estimate 0.25 | val_bpb: 1',
    'estimate 0.25 | val_bpb: 1 or so',
  ])('are nothing where %j stands', (line) => {
    expect(estimatesOf(line, 'val_bpb')).toEqual([]);
  });
});

describe('a run is hopeless', () => {
  // Median 1.02, median absolute deviation 0.01: the margin is 0.029652.
  const finished = [1, 1.01, 1.02, 1.03, 1.04].map((value) => at(0.25, value));

  it('when it is worse than the median of finished runs by more than the margin', () => {
    expect(hopelessBy(at(0.25, 1.0496), finished, LOSS)).toBeNull();
    expect(hopelessBy(at(0.25, 1.0497), finished, LOSS)).toEqual({
      fraction: 0.25,
      value: 1.0497,
      median: 1.02,
      margin: expect.closeTo(0.029652, 12),
      finished: 5,
    });
    expect(hopelessBy(at(0.25, 0.9), finished, LOSS)).toBeNull();
  });

  it('the other way round where more is better', () => {
    const accuracy: Metric = { name: 'acc', goal: 'maximize' };
    expect(hopelessBy(at(0.25, 0.9903), finished, accuracy)?.median).toBe(1.02);
    expect(hopelessBy(at(0.25, 1.5), finished, accuracy)).toBeNull();
  });

  it('never before five runs have finished, nor against estimates of another fraction', () => {
    expect(hopelessBy(at(0.25, 9), finished.slice(1), LOSS)).toBeNull();
    expect(hopelessBy(at(0.5, 9), finished, LOSS)).toBeNull();
    expect(hopelessBy([], finished, LOSS)).toBeNull();
  });

  it('not while its best estimate was good: the rule looks at the best so far', () => {
    const both = finished.map((estimates) => [...estimates, ...at(0.5, 1)]);
    expect(hopelessBy([...at(0.25, 0.99), ...at(0.5, 1.5)], both, LOSS)).toBeNull();
    expect(hopelessBy([...at(0.25, 1.01), ...at(0.5, 1.5)], both, LOSS)).toMatchObject({ fraction: 0.5, value: 1.01 });
  });
});
