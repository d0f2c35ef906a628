import { z } from 'zod';
import { Accelerators } from '../../domain/project.js';
import { listClusters } from '../../lab/list-clusters.js';
import { defineTool } from '../define-tool.js';
import { AcceleratorsInput } from '../words.js';

export const listClustersByGpuTool = defineTool({
  name: 'list_clusters_by_gpu',
  title: 'List clusters by GPU',
  description:
    'Lists this campaign’s clusters by accelerator: state, running, waiting, seconds until idle, $/h; with offers, what else could be launched. Fill the ones that idle soon with launch_wave, or end them with teardown.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    accelerators: AcceleratorsInput,
    include_offers: z.boolean().default(false),
  }),
  output: z.strictObject({
    accelerators: z.record(
      z.string(),
      z.array(
        z.strictObject({
          cluster: z.string(),
          state: z.string(),
          running: z.number(),
          waiting: z.number(),
          idle_in_seconds: z.number(),
          usd_per_hour: z.number().optional(),
          reason: z.string().optional(),
        }),
      ),
    ),
    offers: z
      .array(
        z.strictObject({ accelerators: z.string(), free: z.number().optional(), usd_per_hour: z.number().optional() }),
      )
      .optional(),
    unseen: z.string().optional().describe('Why this may be old.'),
    room: z.number().describe('Clusters that limits.max_clusters still allows.'),
  }),
  async run(lab, { accelerators, include_offers }) {
    const wanted = accelerators === undefined ? [] : Accelerators.parse(accelerators);
    const fleet = await listClusters(lab, wanted, include_offers);
    const kinds = new Map<string, object[]>();
    const rows = fleet.clusters.map(({ cluster, running, waiting, idleInSeconds }) => ({
      kind: cluster.accelerators ?? (cluster.requested.join(' or ') || 'unknown'),
      row: {
        cluster: cluster.id,
        state: cluster.state,
        running,
        waiting,
        idle_in_seconds: Math.round(idleInSeconds),
        ...(cluster.pricePerHourUsd === null ? {} : { usd_per_hour: cluster.pricePerHourUsd }),
        ...(cluster.reason === null ? {} : { reason: cluster.reason }),
      },
    }));
    for (const { kind, row } of rows) kinds.set(kind, [...(kinds.get(kind) ?? []), row]);
    const byKind = Object.fromEntries(
      [...kinds.keys()].map((kind) => [kind, rows.filter((entry) => entry.kind === kind).map(({ row }) => row)]),
    );
    const offers = fleet.offers.map(({ accelerators: name, free, pricePerHourUsd }) => ({
      accelerators: name,
      ...(free === null ? {} : { free }),
      ...(pricePerHourUsd === null ? {} : { usd_per_hour: pricePerHourUsd }),
    }));
    return {
      structured: {
        accelerators: byKind,
        ...(include_offers ? { offers } : {}),
        ...(fleet.unseen === null ? {} : { unseen: fleet.unseen }),
        room: fleet.room,
      },
      text:
        rows.length === 0
          ? 'No clusters are up. launch_wave launches what it needs.'
          : Object.entries(byKind)
              .map(
                ([kind, clusters]) =>
                  `${kind}: ${clusters.map((row) => `${row.cluster} ${row.state}${row.state === 'launching' && row.reason ? ` (${row.reason})` : ''}, ${row.running} running, ${row.waiting} waiting`).join(', ')}`,
              )
              .join('; '),
    };
  },
});
