import { z } from 'zod';
import { AutoresearchError } from '../../domain/errors.js';
import type { Offer } from '../../ports/cluster-backend.js';
import { Catalogue, SlurmAvailability } from './schemas.js';
import type { SkyApi } from './sky-api.js';
import { priceIn } from './words.js';

/**
 * What could be launched: on the infra that is named as SkyPilot writes it, `slurm/CLUSTER` or `aws`, or where SkyPilot may
 * choose on all that this user has. What stands on Slurm comes first, as with SkyPilot: nobody is billed for it.
 * @param taken accelerators of launches that have not got their machine yet
 */
export async function offersOf(api: SkyApi, infra: string | null, taken: readonly string[] = []): Promise<Offer[]> {
  const [word = '', region] = (infra ?? '').split('/');
  // SkyPilot's catalogue knows only the longer of its two words.
  const clouds = infra === null ? await enabledClouds(api) : [word === 'k8s' ? 'kubernetes' : word];
  const priced = clouds.filter((cloud) => cloud !== SLURM);
  return [
    ...(clouds.includes(SLURM) ? await freeOnSlurm(api, region ?? null, taken) : []),
    ...(priced.length > 0 ? await soldBy(api, priced, infra, region) : []),
  ];
}

const SLURM = 'slurm';

async function enabledClouds(api: SkyApi): Promise<string[]> {
  const clouds = await api.get('/enabled_clouds', z.array(z.string()));
  if (clouds.length > 0) return clouds.map((cloud) => cloud.toLowerCase());
  throw new AutoresearchError(
    'no_capacity',
    'SkyPilot has access to no infra.',
    'A person should run `sky check`, which says what each cloud, Kubernetes or Slurm needs.',
  );
}

async function freeOnSlurm(api: SkyApi, cluster: string | null, taken: readonly string[]): Promise<Offer[]> {
  const clusters = await api.call('/slurm_gpu_availability', { slurm_cluster_name: cluster }, SlurmAvailability);
  const offers = clusters.flatMap(([name, gpus]) =>
    gpus.flatMap(([gpu, counts, , free]) =>
      counts.map((count) => ({
        accelerators: `${gpu}:${count}`,
        infra: `${SLURM}/${name}`,
        free: Math.floor((free - devices(taken, gpu)) / count),
        pricePerHourUsd: null,
      })),
    ),
  );
  return offers.filter(({ free }) => free > 0);
}

/** The cheapest of each kind. */
async function soldBy(
  api: SkyApi,
  clouds: readonly string[],
  infra: string | null,
  region: string | undefined,
): Promise<Offer[]> {
  const body = { gpus_only: true, clouds, ...(region ? { all_regions: true } : {}) };
  const rows = Object.values(await api.call('/list_accelerators', body, Catalogue)).flat();
  const there = rows.filter((row) => row[9] === region);
  const cheapest = new Map<string, Offer>();
  for (const [place, , name, count, , , , price] of there.length > 0 ? there : rows) {
    const accelerators = `${name}:${count}`;
    const pricePerHourUsd = priceIn(price);
    const known = cheapest.get(accelerators)?.pricePerHourUsd ?? null;
    if (cheapest.has(accelerators) && (pricePerHourUsd === null || (known !== null && known <= pricePerHourUsd)))
      continue;
    cheapest.set(accelerators, { accelerators, infra: infra ?? place.toLowerCase(), free: null, pricePerHourUsd });
  }
  return [...cheapest.values()].sort((a, b) => (a.pricePerHourUsd ?? Infinity) - (b.pricePerHourUsd ?? Infinity));
}

const devices = (taken: readonly string[], name: string): number =>
  taken
    .map((accelerators) => accelerators.split(':'))
    .reduce((sum, [kind, count]) => sum + (kind === name ? Number(count ?? 1) : 0), 0);
