import { NAME_THE_PRICE } from '../domain/budget.js';
import type { FleetCluster } from '../domain/campaign.js';
import { dollars } from '../domain/cost.js';
import { AutoresearchError } from '../domain/errors.js';
import type { Bound, Held, Kind } from '../domain/new-clusters.js';
import { isOfKind } from '../domain/price.js';
import type { ProjectFile } from '../domain/project.js';
import type { Offer } from '../ports/cluster-backend.js';

/** Why not one run can be placed: nothing that is up would do, and `bound` kept us from launching a first cluster. */
export function noCluster(
  limits: ProjectFile['limits'],
  bound: Bound | null,
  kinds: readonly Kind[],
  held: readonly Held[],
  offers: readonly Offer[],
  fleet: readonly FleetCluster[],
): AutoresearchError {
  const what = kinds.map(({ accelerators }) => accelerators).join(' or ');
  switch (bound) {
    case 'max_clusters':
      return new AutoresearchError(
        'no_capacity',
        `All ${limits.max_clusters} clusters that limits.max_clusters allows are up, and none is of ${what}.`,
        'Call teardown with idle_only, or raise the limit.',
      );
    case 'accelerators':
      return new AutoresearchError(
        'over_budget',
        `limits.accelerators allows ${allowances(limits.accelerators, kinds, held)}, and none would do for ${what}.`,
        'Ask for another accelerator, call teardown with idle_only, or raise the limit.',
      );
    case 'max_cost_per_hour_usd':
      return overRate(limits.max_cost_per_hour_usd ?? 0, kinds, held);
    case 'capacity':
    case null:
      return new AutoresearchError(
        'no_capacity',
        `No cluster is up that would do, and no ${what} is free.${lastWords(kinds, fleet)}`,
        elsewhere(kinds, offers),
      );
  }
}

/** What became of the last launch that got none of these. */
function lastWords(kinds: readonly Kind[], fleet: readonly FleetCluster[]): string {
  const last = fleet.findLast(
    ({ gotNoMachine, requested }) => gotNoMachine && kinds.some(({ accelerators }) => requested.includes(accelerators)),
  );
  return last ? ` The last launch of one, ${last.id}: ${last.reason}` : '';
}

function elsewhere(kinds: readonly Kind[], offers: readonly Offer[]): string {
  const names = kinds.map(({ accelerators }) => accelerators);
  const others = offers.filter(({ accelerators, free }) => !names.includes(accelerators) && free !== 0);
  if (others.length === 0)
    return 'Nothing else is free either: call again in some minutes, or ask who holds the machines.';
  const words = others
    .slice(0, 3)
    .map(({ accelerators, free }) => `${accelerators}${free === null ? '' : ` (${free})`}`);
  const wider = [...names, ...others.slice(0, 1).map(({ accelerators }) => accelerators)].join(',');
  return `Free now: ${words.join(', ')}. Allow another kind, e.g. accelerators "${wider}", or call again in some minutes.`;
}

/** `2 clusters of H200 (2 are up or on their way)` */
const allowances = (counts: Readonly<Record<string, number>>, kinds: readonly Kind[], held: readonly Held[]): string =>
  Object.entries(counts)
    .filter(([key]) => kinds.some(({ accelerators }) => isOfKind(accelerators, key)))
    .map(([key, most]) => {
      const there = held.filter((cluster) => cluster.kinds.some((name) => isOfKind(name, key))).length;
      return `${most} of ${key} (${there} up or on the way)`;
    })
    .join(', ');

function overRate(mostUsd: number, kinds: readonly Kind[], held: readonly Held[]): AutoresearchError {
  const limit = `limits.max_cost_per_hour_usd is ${dollars(mostUsd)}`;
  const unknown = [
    ...kinds.flatMap(({ accelerators, pricePerHourUsd }) => (pricePerHourUsd === null ? accelerators : [])),
    ...held.flatMap(({ kinds: names, pricePerHourUsd }) =>
      pricePerHourUsd === null ? names.join(' or ') || 'a cluster' : [],
    ),
  ];
  const prices = kinds.flatMap(({ pricePerHourUsd }) => pricePerHourUsd ?? []);
  if (unknown.length > 0 && (prices.length === 0 || held.some(({ pricePerHourUsd }) => pricePerHourUsd === null))) {
    const names = [...new Set(unknown)].join(', ');
    return new AutoresearchError('over_budget', `${limit}, and ${names} has no price.`, NAME_THE_PRICE);
  }
  const what = kinds.map(({ accelerators }) => accelerators).join(' or ');
  const now = held.reduce((sum, { pricePerHourUsd }) => sum + (pricePerHourUsd ?? 0), 0);
  const least = Math.min(...prices);
  return new AutoresearchError(
    'over_budget',
    held.length === 0
      ? `${limit}, and one cluster of ${what} costs ${dollars(least)}.`
      : `${limit}: ${dollars(now)} for the ${held.length} up or on the way, and one of ${what} at ${dollars(least)} would make ${dollars(now + least)}.`,
    'Ask for a cheaper accelerator, call teardown with idle_only, or raise the limit.',
  );
}
