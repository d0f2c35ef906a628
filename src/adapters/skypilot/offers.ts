import type { Offer } from '../../ports/cluster-backend.js';
import { Catalogue, SlurmAvailability } from './schemas.js';
import type { SkyApi } from './sky-api.js';

/** What Slurm has free, or what the catalogue of a cloud sells; `infra` as SkyPilot writes it, `slurm/CLUSTER` or `aws`. */
export async function offersOf(api: SkyApi, infra: string | null): Promise<Offer[]> {
  const [cloud, region] = (infra ?? '').split('/');
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
          free: Math.floor(free / count),
          pricePerHourUsd: null,
        })),
      ),
    );
    return offers.filter(({ free }) => free > 0);
  }
  const catalogue = await api.call(
    '/list_accelerators',
    { gpus_only: true, ...(cloud ? { clouds: cloud } : {}) },
    Catalogue,
  );
  const cheapest = new Map<string, Offer>();
  for (const [place, , name, count, , , , price] of Object.values(catalogue).flat()) {
    const accelerators = `${name}:${count}`;
    // A catalogue that has no price says 0: nobody rents for nothing.
    const pricePerHourUsd = price === null || price <= 0 ? null : price;
    const known = cheapest.get(accelerators)?.pricePerHourUsd ?? null;
    if (cheapest.has(accelerators) && (pricePerHourUsd === null || (known !== null && known <= pricePerHourUsd)))
      continue;
    cheapest.set(accelerators, { accelerators, infra: infra ?? place.toLowerCase(), free: null, pricePerHourUsd });
  }
  return [...cheapest.values()].sort((a, b) => (a.pricePerHourUsd ?? Infinity) - (b.pricePerHourUsd ?? Infinity));
}
