import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fullFactorialDesign } from '../../../src/domain/design/full-factorial.js';
import { enoughSentinels, seatRuns } from '../../../src/domain/design/seating.js';

const { points } = fullFactorialDesign.plan({ A: [0, 1], B: [0, 1], C: [0, 1] }, { size: null, seed: 1 });
const TWO = [
  { cluster: 'gpu-01', accelerator: 'H100:1' },
  { cluster: 'gpu-02', accelerator: 'H200:1' },
];
/** As the fleet places runs: always where one would end first. */
const inTurn = (count: number, names: readonly string[]) =>
  Array.from({ length: count }, (_, index) => names[index % names.length] ?? '');
const count = (names: readonly string[]) =>
  Object.fromEntries([...new Set(names)].sort().map((name) => [name, names.filter((other) => other === name).length]));

describe('a wave on two clusters', () => {
  const seating = seatRuns({
    placed: inTurn(11, ['gpu-01', 'gpu-02']),
    clusters: TWO,
    points,
    sentinels: 2,
    others: 1,
    rotation: 0,
    seed: 3,
  });

  it('has a sentinel on each, and both halves of every factor on each', () => {
    expect([...seating.sentinels].sort()).toEqual(['gpu-01', 'gpu-02']);
    expect(count(seating.points)).toEqual({ 'gpu-01': 4, 'gpu-02': 4 });
    for (const factor of ['A', 'B', 'C']) {
      const high = points.flatMap((point, index) => (point[factor] === 1 ? (seating.points[index] ?? []) : []));
      expect(count(high)).toEqual({ 'gpu-01': 2, 'gpu-02': 2 });
    }
    expect(Object.values(seating.correlations)).toEqual([0, 0, 0]);
  });

  it('gives up the highest interaction for it, and says so', () => {
    expect(seating.generators).toEqual(['A×B×C']);
  });
});

it('seats every run once, as many on each cluster as the fleet takes, whatever the fleet', () => {
  const fleet = fc.record({
    loads: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
    sentinels: fc.integer({ min: 0, max: 4 }),
    others: fc.integer({ min: 0, max: 1 }),
    rotation: fc.integer({ min: 0, max: 20 }),
    isDesign: fc.boolean(),
  });
  fc.assert(
    fc.property(fleet, ({ loads, sentinels, others, rotation, isDesign }) => {
      const clusters = loads.map((_, index) => ({ cluster: `gpu-${index}`, accelerator: index % 2 ? 'A' : 'B' }));
      const placed = loads.flatMap((load, index) => Array.from({ length: load }, () => `gpu-${index}`));
      const left = placed.length - sentinels - others;
      fc.pre(left >= 1 && enoughSentinels(clusters, sentinels) === sentinels);
      const seating = seatRuns({
        placed,
        clusters,
        points: Array.from({ length: left }, (_, index) => (isDesign ? { A: index % 2, B: index % 3 } : {})),
        sentinels,
        others,
        rotation,
        seed: 1,
      });
      expect([seating.points.length, seating.sentinels.length, seating.others.length]).toEqual([
        left,
        sentinels,
        others,
      ]);
      expect(count([...seating.points, ...seating.sentinels, ...seating.others])).toEqual(count(placed));
    }),
    { numRuns: 200, seed: 11 },
  );
});

it('leaves a list where it was placed, in order', () => {
  const placed = inTurn(5, ['gpu-01', 'gpu-02']);
  const seating = seatRuns({
    placed,
    clusters: TWO,
    points: Array(5).fill({}),
    sentinels: 0,
    others: 0,
    rotation: 0,
    seed: 1,
  });
  expect(seating.points).toEqual(placed);
});

it('asks for one on each accelerator where any is asked for, and for none where none is', () => {
  expect([0, 1, 3].map((asked) => enoughSentinels(TWO, asked))).toEqual([0, 2, 3]);
});
