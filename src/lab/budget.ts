import type { Bill } from '../domain/budget.js';
import type { CampaignFile } from '../domain/campaign.js';
import { campaignCost, total } from '../domain/cost.js';
import type { Experiment } from '../domain/experiment.js';
import { priceOf } from '../domain/price.js';
import { type Placement, queuesOf, typicalRunSeconds } from './fleet.js';
import { aliveClusters, type Lab } from './lab.js';

/**
 * What the campaign will come to with runs as placed and nothing after them. A run is taken to last as long as those before
 * it did, and the first as long as it may; a cluster ends `idle_minutes` after its last.
 */
export function billFor(
  lab: Lab,
  campaign: CampaignFile,
  experiments: readonly Experiment[],
  { placed, launched }: Placement,
): Bill {
  const { prices, limits, idle_minutes } = lab.project.settings;
  const runSeconds = typicalRunSeconds(experiments) ?? limits.job_timeout_minutes * 60;
  const idleSeconds = idle_minutes * 60;
  const alive = aliveClusters(campaign);
  const queues = queuesOf(alive, experiments, lab.now(), runSeconds);
  const hired = [...alive, ...launched].filter(({ id }) => placed.includes(id));
  return {
    spent: campaignCost(campaign.fleet, experiments, prices, lab.now()).spent,
    committed: total(
      alive.map((cluster) => ({
        pricePerHourUsd: priceOf(cluster, prices),
        seconds: (queues.find((queue) => queue.cluster === cluster.id)?.busySeconds ?? 0) + idleSeconds,
      })),
    ),
    added: total(
      hired.map((cluster) => ({
        pricePerHourUsd: priceOf(cluster, prices),
        seconds:
          placed.filter((id) => id === cluster.id).length * runSeconds + (launched.includes(cluster) ? idleSeconds : 0),
      })),
    ),
  };
}
