import { Catalogue, type ClusterRecord } from './schemas.js';
import { type SkyApi, SkyError } from './sky-api.js';
import { acceleratorsOf, priceIn } from './words.js';

/** Prices move slowly, and a catalogue is slow to ask. */
const KEPT_MS = 3_600_000;

export type PriceOf = (record: ClusterRecord) => Promise<number | null>;

/**
 * What a cluster costs an hour, from SkyPilot's catalogue: its instance type in its region, spot or not, times its nodes; null
 * where the catalogue has no price for it, as Slurm's and Kubernetes' have none.
 */
export function createPriceOf(api: SkyApi, now: () => number): PriceOf {
  const kept = new Map<string, { at: number; price: Promise<number | null> }>();
  return (record) => {
    const key = JSON.stringify([record.cloud, record.region, record.resources_str_full ?? record.accelerators]);
    const known = kept.get(key);
    if (known && now() - known.at < KEPT_MS) return known.price;
    const price = look(api, record);
    kept.set(key, { at: now(), price });
    return price;
  };
}

async function look(api: SkyApi, record: ClusterRecord): Promise<number | null> {
  const accelerators = acceleratorsOf(record.accelerators);
  const [name, count] = accelerators?.split(':') ?? [];
  if (!record.cloud || !name) return null;
  const body = {
    gpus_only: true,
    name_filter: `^${name}$`,
    quantity_filter: Number(count),
    clouds: record.cloud.toLowerCase(),
    all_regions: true,
  };
  const catalogue = await api.call('/list_accelerators', body, Catalogue).catch((error: unknown) => {
    // Without a catalogue there is no price; the cluster is there all the same.
    if (error instanceof SkyError) return {};
    throw error;
  });
  const resources = record.resources_str_full ?? '';
  const rows = Object.values(catalogue).flat();
  type Row = (typeof rows)[number];
  const isOfType = ([, instance]: Row) => instance !== null && resources.includes(`, ${instance},`);
  const isThere = ([, , , , , , , , , region]: Row) => region === record.region;
  const fitting = [isThere, isOfType].reduce((some, test) => (some.some(test) ? some.filter(test) : some), rows);
  const isSpot = resources.includes('[spot]');
  const prices = fitting
    .map(([, , , , , , , price, spotPrice]) => (isSpot ? spotPrice : price))
    .flatMap((price) => priceIn(price) ?? []);
  return prices.length === 0 ? null : Math.min(...prices) * (record.nodes ?? 1);
}
