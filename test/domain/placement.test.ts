import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clustersWorthHaving, placeRuns } from '../../src/domain/placement.js';

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

describe('clusters worth having', () => {
  it.each([
    [9, 8, 5],
    [8, 8, 8],
    [1, 16, 1],
    [17, 16, 9],
    [0, 8, 0],
    [4, 0, 0],
  ])('for %i runs and at most %i clusters: %i', (count, most, expected) => {
    expect(clustersWorthHaving(count, most)).toBe(expected);
  });

  it('are as many as finish as early as all would, and no fewer would', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 32 }), (count, most) => {
        const worth = clustersWorthHaving(count, most);
        expect(Math.ceil(count / worth)).toBe(Math.ceil(count / most));
        if (worth > 1) expect(Math.ceil(count / (worth - 1))).toBeGreaterThan(Math.ceil(count / most));
      }),
    );
  });
});
