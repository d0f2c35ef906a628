import { z } from 'zod';
import type { Cluster, ClusterName } from '../../ports/cluster-backend.js';
import type { Memory } from './memory.js';
import { ClusterRecord } from './schemas.js';
import { type SkyApi, SkyError } from './sky-api.js';
import { acceleratorsOf, clusterStatusOf } from './words.js';

/**
 * SkyPilot does not notice by itself that an allocation was lost: it says UP until it is asked to look (refresh FORCE,
 * seconds a call). So it is asked once a minute, and at once after a queue could not be read.
 */
const LOOK_EVERY_MS = 60_000;

export interface ClusterLook {
  clusters(names: readonly ClusterName[]): Promise<Cluster[]>;
  /** What SkyPilot says of clusters may be out of date. */
  doubt(): void;
}

export function lookAtClusters(api: SkyApi, memory: Memory, now: () => number): ClusterLook {
  let lookedAt = now();
  const launchStatus = rememberingEnded(api);
  return {
    doubt() {
      lookedAt = Number.NEGATIVE_INFINITY;
    },
    async clusters(names) {
      if (names.length === 0) return [];
      const isDue = now() - lookedAt >= LOOK_EVERY_MS;
      if (isDue) lookedAt = now();
      // include_credentials would send the clusters' private ssh keys along.
      const body = {
        cluster_names: names,
        refresh: isDue ? 'FORCE' : 'NONE',
        include_credentials: false,
        include_handle: false,
      };
      const records = await api.call('/status', body, z.array(ClusterRecord));
      const found = await Promise.all(
        names.map((name) =>
          describe(
            { api, memory, launchStatus },
            name,
            records.find((record) => record.name === name),
          ),
        ),
      );
      return found.filter((cluster) => cluster !== null);
    },
  };
}

/** What became of a request, asked for until it has ended: every look at a cluster asks for its launch. */
function rememberingEnded(api: SkyApi): SkyApi['statusOf'] {
  const ended = new Map<string, string>();
  return async (requestId) => {
    const status = ended.get(requestId) ?? (await api.statusOf(requestId));
    if (status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED') ended.set(requestId, status);
    return status;
  };
}

async function describe(
  { api, memory, launchStatus }: { api: SkyApi; memory: Memory; launchStatus: SkyApi['statusOf'] },
  name: ClusterName,
  record: ClusterRecord | undefined,
): Promise<Cluster | null> {
  const { launches } = await memory.read(name);
  // The first makes the cluster; what later ones add is waited for, or told, where a task needs it.
  const first = launches[0]?.requestId ?? null;
  const request = first === null ? null : await launchStatus(first);
  const isUnderWay = request === 'PENDING' || request === 'RUNNING';
  const failure =
    first !== null && (request === 'FAILED' || request === 'CANCELLED') ? await failureOf(api, first) : null;
  const status = record ? clusterStatusOf(record.status) : 'INIT';
  // UP while the launch still syncs the base: jobs sent now would not find it.
  const isUp = status === 'UP' && !isUnderWay;
  if (!record && !isUnderWay && failure === null) return null;
  return {
    name,
    status: isUp ? 'UP' : failure !== null ? 'STOPPED' : 'INIT',
    statusReason:
      failure ?? (isUp ? null : (record?.init_status_reason ?? record?.last_event ?? 'SkyPilot has not begun yet.')),
    accelerators: acceleratorsOf(record?.accelerators),
    hardware: [record?.cloud, record?.region, record?.node_names].filter(Boolean).join(' ') || null,
    pricePerHourUsd: null,
    environmentKeys: launches.map(({ key }) => key),
    idleMinutes: record?.autostop ?? 0,
  };
}

async function failureOf(api: SkyApi, requestId: string): Promise<string> {
  try {
    await api.wait(requestId, z.unknown());
    return 'The launch ended without a cluster.';
  } catch (error) {
    if (error instanceof SkyError) return `${error.type}: ${error.message}`;
    throw error;
  }
}
