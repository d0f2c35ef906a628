import type { Offer } from '../../ports/cluster-backend.js';
import { Catalogue, SlurmAvailability } from './schemas.js';
import type { SkyApi } from './sky-api.js';
import { priceIn } from './words.js';

/**
 * What Slurm has free, or what the catalogue of a cloud sells; `infra` as SkyPilot writes it, `slurm/CLUSTER` or `aws`.
 * @param taken accelerators of launches that have not got their machine yet
 */
export async function offersOf(api: SkyApi, infra: string | null, taken: readonly string[] = []): Promise<Offer[]> {
  const [word = '', region] = (infra ?? '').split('/');
  // SkyPilot's catalogue knows only the longer of its two words.
  const cloud = word === 'k8s' ? 'kubernetes' : word;
  if (cloud === 'slurm') {
    const clusters = await api.call(
      '/slurm_gpu_availability',
      { slurm_cluster_name: region ?? null },
      SlurmAvailability,
    );
    const offers = clusters.flatMap(([cluster, gpus]) =>
      gpus.flatMap(([name, counts, , free]) =>
        counts.map((count) => ({
          accelerators: `${name}:${count}`,
          infra: `slurm/${cluster}`,
          free: Math.floor((free - devices(taken, name)) / count),
          pricePerHourUsd: null,
        })),
      ),
    );
    return offers.filter(({ free }) => free > 0);
  }
  const catalogue = await api.call(
    '/list_accelerators',
    { gpus_only: true, ...(cloud ? { clouds: cloud } : {}), ...(region ? { all_regions: true } : {}) },
    Catalogue,
  );
  const cheapest = new Map<string, Offer>();
  const rows = Object.values(catalogue).flat();
  const there = rows.filter((row) => row[9] === region);
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
