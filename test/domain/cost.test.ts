import { describe, expect, it } from 'vitest';
import type { FleetCluster } from '../../src/domain/campaign.js';
import { campaignCost, dollars, experimentCost, isOver, total, unpricedWords } from '../../src/domain/cost.js';
import { clusterId } from '../../src/domain/ids.js';
import { done, makeExperiment } from './make-experiment.js';

const MINUTE = 60_000;

const cluster = (n: number, about: Partial<FleetCluster>): FleetCluster => ({
  id: clusterId(n),
  name: `gpu-0${n}-abc123`,
  state: 'up',
  requested: [],
  infra: null,
  environments: {},
  accelerators: 'H100:1',
  hardware: null,
  pricePerHourUsd: null,
  reason: null,
  gotNoMachine: false,
  launchedAt: 0,
  upAt: 0,
  endedAt: null,
  ...about,
});

describe('an experiment', () => {
  it('costs its run time at the price of what it ran on', () => {
    const run = done(1, 0.98, { startedAt: 0, endedAt: 5 * MINUTE, pricePerHourUsd: 2.4 });
    expect(experimentCost(run, {}, 0)).toBeCloseTo(0.2); // 5/60 × 2.40
  });

  it('costs what it has until now while it runs, and nothing before it starts', () => {
    const running = makeExperiment(1, { state: 'running', startedAt: 0, pricePerHourUsd: 2.4 });
    expect(experimentCost(running, {}, 90 * MINUTE)).toBeCloseTo(3.6); // 1.5 × 2.40
    expect(experimentCost(makeExperiment(2, { pricePerHourUsd: 2.4 }), {}, 90 * MINUTE)).toBeNull();
  });

  it('keeps the price that was recorded when it ran; the project’s prices fill in where none was', () => {
    const hour = { startedAt: 0, endedAt: 60 * MINUTE, accelerators: 'H100:2' };
    expect(experimentCost(done(1, 1, { ...hour, pricePerHourUsd: 2 }), { H100: 9 }, 0)).toBe(2);
    expect(experimentCost(done(1, 1, hour), { H100: 9 }, 0)).toBe(18);
    expect(experimentCost(done(1, 1, hour), {}, 0)).toBeNull();
  });
});

describe('a campaign', () => {
  it('costs the whole life of every cluster, of which what no experiment ran is idle', () => {
    const fleet = [
      cluster(1, { state: 'ended', pricePerHourUsd: 2, upAt: 0, endedAt: 90 * MINUTE }),
      cluster(1, { pricePerHourUsd: 3.5, upAt: 100 * MINUTE }),
      cluster(2, { pricePerHourUsd: 2, upAt: 60 * MINUTE }),
    ];
    const runs = [
      done(1, 1, { startedAt: 0, endedAt: 60 * MINUTE, pricePerHourUsd: 2 }), // 2.00
      done(2, 1, { startedAt: 100 * MINUTE, endedAt: 112 * MINUTE, pricePerHourUsd: 3.5 }), // 0.70
      makeExperiment(3, { state: 'running', startedAt: 105 * MINUTE, pricePerHourUsd: 2 }), // 0.50
      makeExperiment(4, { state: 'queued' }),
    ];
    const { spent, idleUsd, perHour } = campaignCost(fleet, runs, {}, 120 * MINUTE);
    // 1.5 h × 2.00 + 20 min × 3.50 + 1 h × 2.00
    expect(dollars(spent.usd ?? Number.NaN)).toBe('$6.17');
    expect(dollars(idleUsd ?? Number.NaN)).toBe('$2.97'); // 6.17 − 2.00 − 0.70 − 0.50
    expect(perHour).toEqual({ usd: 5.5, machines: 2, unpriced: 0 });
  });

  it('has paid nothing for a cluster that never came up', () => {
    const fleet = [cluster(1, { state: 'ended', upAt: null, endedAt: 5, pricePerHourUsd: 2 })];
    expect(campaignCost(fleet, [], {}, 60 * MINUTE)).toEqual({
      spent: { usd: 0, machines: 0, unpriced: 0 },
      idleUsd: 0,
      perHour: { usd: 0, machines: 0, unpriced: 0 },
    });
  });

  it('counts the clusters without a price instead of taking them for free', () => {
    const fleet = [cluster(1, { pricePerHourUsd: 2 }), cluster(2, {}), cluster(3, { accelerators: 'L4:1' })];
    const { spent, idleUsd } = campaignCost(fleet, [], { L4: 0.5 }, 60 * MINUTE);
    expect(spent).toEqual({ usd: 2.5, machines: 3, unpriced: 1 });
    expect(idleUsd).toBe(2.5);
    expect(unpricedWords(spent)).toBe('1 of 3 clusters has no price');
  });

  it('is of unknown cost, not of none, where no cluster has a price', () => {
    const { spent, idleUsd, perHour } = campaignCost([cluster(1, {}), cluster(2, {})], [], {}, 60 * MINUTE);
    expect([spent.usd, idleUsd, perHour.usd]).toEqual([null, null, null]);
    expect(unpricedWords(spent)).toBe('2 of 2 clusters have no price');
  });
});

it('adds up hours of machines to the cent', () => {
  const usd = (hires: readonly [number, number][]) =>
    total(hires.map(([pricePerHourUsd, seconds]) => ({ pricePerHourUsd, seconds }))).usd ?? Number.NaN;
  expect(dollars(usd([[2.3, 300]]))).toBe('$0.19'); // 0.191667
  expect(dollars(usd([[98.32, 3600]]))).toBe('$98.32');
  expect(
    dollars(
      usd([
        [0.1, 3600],
        [0.2, 3600],
      ]),
    ),
  ).toBe('$0.30');
  expect([dollars(0), dollars(0.001), dollars(0.005)]).toEqual(['$0.00', '<$0.01', '$0.01']);
});

it('does not take a rounding error for money', () => {
  expect([isOver(0.1 + 0.2, 0.3), isOver(0.31, 0.3), isOver(0.3, 0.3)]).toEqual([false, true, false]);
});
