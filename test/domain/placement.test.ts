import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { movesToIdle, placeRuns } from '../../src/domain/placement.js';

const fleet = fc
  .array(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 8 })
  .map((busy) => busy.map((busySeconds, cluster) => ({ cluster, busySeconds })));

describe('placing runs', () => {
  it('gives each to the cluster that would end it first, the earlier named of equals', () => {
    const queues = [
      { cluster: 'a', busySeconds: 500 },
      { cluster: 'b', busySeconds: 0 },
      { cluster: 'c', busySeconds: 0 },
    ];
    expect(placeRuns(5, 300, queues)).toEqual(['b', 'c', 'b', 'c', 'a']);
  });

  it('places nothing where there is no cluster', () => {
    expect(placeRuns(3, 300, [])).toEqual([]);
    expect(placeRuns(0, 300, [{ cluster: 'a', busySeconds: 0 }])).toEqual([]);
  });

  it('leaves no cluster idle while another has two more waiting', () => {
    fc.assert(
      fc.property(
        fleet,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 600 }),
        (queues, count, seconds) => {
          const placed = placeRuns(count, seconds, queues);
          expect(placed).toHaveLength(count);
          const loads = queues.map(({ cluster, busySeconds }) => ({
            given: placed.filter((name) => name === cluster).length,
            endsAt: busySeconds + seconds * placed.filter((name) => name === cluster).length,
          }));
          const soonest = Math.min(...loads.map(({ endsAt }) => endsAt));
          for (const { given, endsAt } of loads) if (given > 0) expect(endsAt - seconds).toBeLessThanOrEqual(soonest);
        },
      ),
    );
  });

  it('is the same each time, and goes on as one call would have', () => {
    fc.assert(
      fc.property(fleet, fc.nat(12), fc.nat(12), (queues, first, second) => {
        const all = placeRuns(first + second, 300, queues);
        const begun = placeRuns(first, 300, queues);
        const busier = queues.map(({ cluster, busySeconds }) => ({
          cluster,
          busySeconds: busySeconds + 300 * begun.filter((name) => name === cluster).length,
        }));
        expect([...begun, ...placeRuns(second, 300, busier)]).toEqual(all);
      }),
    );
  });
});

describe('moves to idle clusters', () => {
  const waiting = [
    { run: 'soon', startsInSeconds: 30 },
    { run: 'later', startsInSeconds: 300 },
    { run: 'last', startsInSeconds: 600 },
    { run: 'nobody knows', startsInSeconds: Number.POSITIVE_INFINITY },
  ];
  const anywhere = () => true;

  it('give each idle cluster one run, those that would wait longest', () => {
    expect(movesToIdle(waiting, ['gpu-01', 'gpu-02'], 60, anywhere)).toEqual([
      { run: 'nobody knows', to: 'gpu-01' },
      { run: 'last', to: 'gpu-02' },
    ]);
  });

  it('leave alone what would wait less than moving costs', () => {
    const idle = ['a', 'b', 'c', 'd', 'e'];
    expect(movesToIdle(waiting, idle, 60, anywhere).map(({ run }) => run)).toEqual(['nobody knows', 'last', 'later']);
  });

  it('take a run only to where it may run', () => {
    const isH200 = (run: string, cluster: string) => run !== 'nobody knows' || cluster === 'h200';
    expect(movesToIdle(waiting, ['h100', 'h200'], 60, isH200)).toEqual([
      { run: 'last', to: 'h100' },
      { run: 'nobody knows', to: 'h200' },
    ]);
  });
});
