import { describe, expect, it } from 'vitest';
import { type FleetLimits, type Held, type Kind, newClusters } from '../../src/domain/new-clusters.js';

const kind = (accelerators: string, pricePerHourUsd: number | null = 2, free = 16): Kind => ({
  accelerators,
  free,
  pricePerHourUsd,
});
const held = (kinds: string, pricePerHourUsd: number | null = 2): Held => ({
  kinds: kinds.split(' or '),
  pricePerHourUsd,
});
const limits = (about: Partial<FleetLimits> = {}): FleetLimits => ({
  clusters: 16,
  accelerators: {},
  usdPerHour: null,
  ...about,
});
const H100 = kind('H100:1', 2);
const H200 = kind('H200:1', 3.5);

/** The kinds of each new cluster, and what kept it from one more. */
const outcome = (...args: Parameters<typeof newClusters>) => {
  const { clusters, bound } = newClusters(...args);
  return [clusters.map(({ kinds }) => kinds.join(' or ')), bound];
};

it('launches as many as are wanted where nothing forbids it', () => {
  expect(outcome(2, [H100], [], limits())).toEqual([['H100:1', 'H100:1'], null]);
});

it.each([
  ['max_clusters', [H100], [held('H100:1')], limits({ clusters: 3 }), 2],
  ['capacity', [kind('H100:1', 2, 3)], [held('H100:1')], limits(), 3],
  ['accelerators', [H100], [held('H100:1'), held('H100:8')], limits({ accelerators: { H100: 3 } }), 1],
  ['max_cost_per_hour_usd', [H100], [held('H200:1', 3.5)], limits({ usdPerHour: 7.5 }), 2],
] as const)('launches fewer for %s', (bound, kinds, there, allowed, count) => {
  expect(outcome(4, kinds, there, allowed)).toEqual([Array.from({ length: count }, () => 'H100:1'), bound]);
});

describe('a limit for one accelerator', () => {
  it('leaves the other to those that may be either, and counts each as what it may become', () => {
    expect(outcome(4, [H200, H100], [], limits({ accelerators: { H200: 2 } }))).toEqual([
      ['H200:1 or H100:1', 'H200:1 or H100:1', 'H100:1', 'H100:1'],
      null,
    ]);
    expect(outcome(1, [H200], [held('H100:1 or H200:1')], limits({ accelerators: { H200: 1 } }))).toEqual([
      [],
      'accelerators',
    ]);
  });

  it('does not launch more of the other than there are', () => {
    const few = [kind('H200:1', 3.5, 4), kind('H100:1', 2, 1)];
    expect(outcome(4, few, [], limits({ accelerators: { H200: 2 } }))).toEqual([
      ['H200:1 or H100:1', 'H200:1 or H100:1', 'H100:1'],
      'capacity',
    ]);
  });

  it('counts only clusters of a number where it names one', () => {
    const allowed = limits({ accelerators: { 'H100:8': 1 } });
    expect(outcome(2, [H100], [held('H100:8')], allowed)).toEqual([['H100:1', 'H100:1'], null]);
    expect(outcome(2, [kind('H100:8', 15)], [held('H100:8')], allowed)).toEqual([[], 'accelerators']);
  });
});

describe('a limit on what an hour costs', () => {
  it('leaves the cheaper accelerator when the dearer no longer fits', () => {
    expect(outcome(4, [H200, H100], [], limits({ usdPerHour: 9 }))).toEqual([
      ['H200:1 or H100:1', 'H200:1 or H100:1', 'H100:1'],
      'max_cost_per_hour_usd',
    ]);
  });

  it('is not kept by what has no price, there or to be launched', () => {
    const allowed = limits({ usdPerHour: 1000 });
    expect(outcome(1, [kind('H100:1', null)], [], allowed)).toEqual([[], 'max_cost_per_hour_usd']);
    expect(outcome(1, [H100], [held('L4:1', null)], allowed)).toEqual([[], 'max_cost_per_hour_usd']);
    expect(outcome(1, [kind('CPU:2', 0)], [], allowed)).toEqual([['CPU:2'], null]);
  });
});

it('asks for what is free first, so that no cluster waits for one kind while another stands idle', () => {
  const kinds = [kind('H100:1', 2, 2), kind('H200:1', 3.5, 2)];
  expect(outcome(4, kinds, [], limits())).toEqual([
    ['H100:1 or H200:1', 'H100:1 or H200:1', 'H200:1 or H100:1', 'H200:1 or H100:1'],
    null,
  ]);
});
