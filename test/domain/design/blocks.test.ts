import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spreadOverClusters } from '../../../src/domain/design/blocks.js';
import { planDesign } from '../../../src/domain/design/expand-design.js';
import { placeSentinels } from '../../../src/domain/design/sentinels.js';

const fleet = (sizes: readonly number[], accelerator = (index: number) => (index % 4 === 3 ? 'H200:1' : 'H100:1')) =>
  sizes.map((runs, index) => ({ cluster: `gpu-0${index + 1}`, accelerator: accelerator(index), runs }));
const letters = (count: number) => Object.fromEntries([...'ABCDEFGH'].slice(0, count).map((name) => [name, [-1, 1]]));
const full = (count: number) => planDesign({ kind: 'full_factorial', factors: letters(count) }).points;
const largest = (correlations: Readonly<Record<string, number>>) => Math.max(...Object.values(correlations));

describe('blocks', () => {
  it.each([
    ['two', 3, [4, 4], ['A×B×C']],
    ['two', 4, [8, 8], ['A×B×C×D']],
    ['four', 5, [8, 8, 8, 8], null],
    ['eight', 6, Array.from({ length: 8 }, () => 8), null],
  ] as const)(
    'of a full factorial in %s clusters are interactions, and clear of every factor',
    (_, factors, sizes, generators) => {
      const spread = spreadOverClusters(full(factors), fleet(sizes), 1);
      expect(largest(spread.correlations)).toBeLessThan(1e-12);
      expect(spread.generators).toHaveLength(Math.log2(sizes.length));
      if (generators) expect(spread.generators).toEqual(generators);
    },
  );

  it('of five factors in four clusters leave all pairs apart from them, where that can be', () => {
    // It can: A×B×C and C×D×E have A×B×D×E as their product, and none of the three is a pair.
    const points = full(5);
    const { clusters } = spreadOverClusters(points, fleet([8, 8, 8, 8]), 1);
    for (const cluster of new Set(clusters)) {
      const here = points.filter((_, index) => clusters[index] === cluster);
      for (const a of 'ABCDE') {
        for (const b of 'ABCDE') {
          if (a < b) expect(here.reduce((sum, point) => sum + Number(point[a]) * Number(point[b]), 0)).toBe(0);
        }
      }
    }
  });

  it('fill every cluster, whatever the sizes, each point placed once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
        fc.integer(),
        (sizes, seed) => {
          const count = sizes.reduce((sum, size) => sum + size, 0);
          const points = Array.from({ length: count }, (_, index) => ({ A: index % 2, B: index % 3, C: index / 7 }));
          const { clusters, correlations } = spreadOverClusters(points, fleet(sizes), seed);
          expect(fleet(sizes).map(({ cluster }) => clusters.filter((other) => other === cluster).length)).toEqual(
            sizes,
          );
          expect(Object.values(correlations).every((value) => value >= 0 && value <= 1 + 1e-9)).toBe(true);
          expect(spreadOverClusters(points, fleet(sizes), seed).clusters).toEqual(clusters);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('reach balance by search where no interaction gives it: twelve runs of Plackett–Burman on three clusters', () => {
    const { points } = planDesign({ kind: 'plackett_burman', factors: letters(4) });
    const spread = spreadOverClusters(points, fleet([4, 4, 4]), 1);
    expect(spread.generators).toEqual([]);
    expect(largest(spread.correlations)).toBeLessThan(1e-9);
  });

  it('are far better balanced than points dealt out in order', () => {
    const { points } = planDesign({ kind: 'full_factorial', factors: { A: [1, 2, 3], B: ['x', 'y', 'z', 'w'] } });
    const { correlations, clusters } = spreadOverClusters(
      points,
      fleet([6, 3, 3], (index) => (index === 2 ? 'H200:1' : 'H100:1')),
      1,
    );
    // In order, gpu-01 would hold the first six points: A = 3 never, a correlation of −0.71.
    expect(largest(correlations)).toBeLessThan(0.36);
    expect(new Set(clusters.slice(0, 4)).size).toBeGreaterThan(1);
  });

  it('say how much is left where one run a cluster cannot but mix a factor with them', () => {
    const spread = spreadOverClusters(full(2), fleet([1, 3]), 1);
    expect(spread.correlations['A']).toBeCloseTo(1 / Math.sqrt(3), 9);
  });

  it('serve points that set one factor each', () => {
    const { points } = planDesign({ kind: 'one_factor', factors: { A: [1, 2, 3, 4], B: ['x', 'y', 'z', 'w'] } });
    expect(largest(spreadOverClusters(points, fleet([4, 4]), 1).correlations)).toBeLessThan(0.5);
  });

  it('refuse clusters that take another number of runs', () => {
    expect(() => spreadOverClusters(full(2), fleet([2, 1]), 1)).toThrow(
      'The clusters take 3 runs; there are 4 points.',
    );
  });
});

describe('sentinels', () => {
  const machines = fleet([1, 1, 1, 1, 1]); // gpu-04 alone is an H200

  it('run on every accelerator, even where fewer were asked for', () => {
    expect(placeSentinels(machines, 1, 0)).toEqual(['gpu-01', 'gpu-04']);
    expect(placeSentinels(machines, 3, 0)).toEqual(['gpu-01', 'gpu-04', 'gpu-02']);
  });

  it('come to every cluster as the rotation goes on', () => {
    const visited = new Set([0, 1, 2, 3].flatMap((rotation) => placeSentinels(machines, 2, rotation)));
    expect(visited).toEqual(new Set(machines.map(({ cluster }) => cluster)));
  });

  it('go to no cluster twice while one has none, and nowhere without clusters', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), fc.integer({ min: -50, max: 50 }), (count, rotation) => {
        const placed = placeSentinels(machines, count, rotation);
        expect(new Set(placed).size).toBe(count);
        expect(placed).toContain('gpu-04');
      }),
    );
    expect(placeSentinels(machines, 7, 2)).toHaveLength(7);
    expect(placeSentinels([], 3, 0)).toEqual([]);
    expect(placeSentinels(machines, 0, 0)).toEqual([]);
  });
});
