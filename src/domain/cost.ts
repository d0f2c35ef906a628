import type { FleetCluster } from './campaign.js';
import type { Experiment } from './experiment.js';
import { type Prices, priceOf } from './price.js';

const HOUR_SECONDS = 3600;

/** A machine, and for how long it is paid. */
export interface Hire {
  readonly pricePerHourUsd: number | null;
  readonly seconds: number;
}

export interface Total {
  /** Of those with a price: a lower bound while some have none; null when none has one. 0 for no machine at all. */
  readonly usd: number | null;
  readonly machines: number;
  /** How many of them have no price. */
  readonly unpriced: number;
}

export function total(hires: readonly Hire[]): Total {
  const costs = hires.flatMap(({ pricePerHourUsd: price, seconds }) =>
    price === null ? [] : (price * seconds) / HOUR_SECONDS,
  );
  const unpriced = hires.length - costs.length;
  const isUnknown = hires.length > 0 && costs.length === 0;
  return { usd: isUnknown ? null : costs.reduce((sum, cost) => sum + cost, 0), machines: hires.length, unpriced };
}

/** Its run time at the price of what it ran on, to now while it runs; null before it starts and without a price. */
export function experimentCost(
  run: Pick<Experiment, 'startedAt' | 'endedAt' | 'accelerators' | 'pricePerHourUsd'>,
  prices: Prices,
  now: number,
): number | null {
  if (run.startedAt === null) return null;
  const seconds = Math.max(0, (run.endedAt ?? now) - run.startedAt) / 1000;
  return total([{ pricePerHourUsd: priceOf(run, prices), seconds }]).usd;
}

export interface CampaignCost {
  /** Every cluster from up to ended, or to now. */
  readonly spent: Total;
  /** Paid while no run of ours was on it: setup, waiting, the last idle minutes, runs that were lost. null as `spent.usd`. */
  readonly idleUsd: number | null;
  /** An hour of what is up now. */
  readonly perHour: Total;
}

/**
 * What the campaign has cost. A price that was recorded stays what it was; `prices` fill in where none was, so that naming
 * them later prices what has ended too.
 */
export function campaignCost(
  fleet: readonly FleetCluster[],
  experiments: readonly Experiment[],
  prices: Prices,
  now: number,
): CampaignCost {
  const lives = fleet.flatMap((cluster) => {
    const { upAt, endedAt, state } = cluster;
    if (upAt === null) return [];
    return { pricePerHourUsd: priceOf(cluster, prices), seconds: Math.max(0, (endedAt ?? now) - upAt) / 1000, state };
  });
  const spent = total(lives);
  const ran = experiments.reduce((sum, run) => sum + (experimentCost(run, prices, now) ?? 0), 0);
  return {
    spent,
    idleUsd: spent.usd === null ? null : Math.max(0, spent.usd - ran),
    perHour: total(lives.filter(({ state }) => state === 'up').map((life) => ({ ...life, seconds: HOUR_SECONDS }))),
  };
}

/** Sums of prices are rarely exact: what differs by less than any price could is the same. */
export const isOver = (usd: number, most: number): boolean => usd > most + 1e-9;

/** To the cent; what is less than one says so, and is not written as nothing. */
export const dollars = (usd: number): string => (usd > 0 && usd < 0.005 ? '<$0.01' : `$${usd.toFixed(2)}`);

/** `2 of 5 clusters have no price`; null when all have one. */
export const unpricedWords = ({ machines, unpriced }: Total): string | null =>
  unpriced === 0
    ? null
    : `${unpriced} of ${machines} cluster${machines === 1 ? '' : 's'} ${unpriced === 1 ? 'has' : 'have'} no price`;
