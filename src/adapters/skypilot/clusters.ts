import { z } from 'zod';
import type { Cluster, ClusterName } from '../../ports/cluster-backend.js';
import type { Memory } from './memory.js';
import { createPriceOf, type PriceOf } from './prices.js';
import { ClusterRecord } from './schemas.js';
import type { StandsInQueue } from './setups.js';
import { isForgotten, type SkyApi, SkyError } from './sky-api.js';
import { acceleratorsOf, clusterStatusOf } from './words.js';

/**
 * SkyPilot does not notice by itself that an allocation was lost: it says UP until it is asked to look (refresh FORCE, which
 * starts a Python on the cluster; for six at once it takes half a minute). So only those are looked for, one at a time, of
 * which nothing was heard for so long (a busy one's queue is asked for more often), or that did not answer; nobody waits for
 * it: later looks see what it found.
 */
const SILENT_MS = 120_000;

export interface ClusterLook {
  clusters(names: readonly ClusterName[]): Promise<Cluster[]>;
  /** A cluster answered: its allocation is there. */
  heard(name: ClusterName): void;
  /** A cluster did not answer: what SkyPilot says of it may be out of date. */
  doubt(name: ClusterName): void;
}

export function lookAtClusters(
  api: SkyApi,
  memory: Memory,
  setupStands: StandsInQueue,
  now: () => number,
): ClusterLook {
  const priceOf = createPriceOf(api, now);
  const heardAt = new Map<ClusterName, number>();
  const lastHeard = (name: ClusterName): number => heardAt.get(name) ?? now();
  let isLooking = false;
  let failure: unknown = null;

  // include_credentials would send the clusters' private ssh keys along.
  const status = (cluster_names: readonly ClusterName[], refresh: 'NONE' | 'FORCE') =>
    api.call(
      '/status',
      { cluster_names, refresh, include_credentials: false, include_handle: false },
      z.array(ClusterRecord),
    );
  const lookFor = (name: ClusterName) => {
    if (isLooking) return;
    isLooking = true;
    heardAt.set(name, now());
    void status([name], 'FORCE')
      .catch((error: unknown) => {
        if (!isForgotten(error)) failure = error;
      })
      .finally(() => {
        isLooking = false;
      });
  };

  const launchStatus = rememberingEnded(api);
  return {
    heard: (name) => void heardAt.set(name, now()),
    doubt(name) {
      heardAt.set(name, Number.NEGATIVE_INFINITY);
      lookFor(name);
    },
    async clusters(names) {
      if (names.length === 0) return [];
      const records = await status(names, 'NONE');
      if (failure !== null) {
        const error = failure;
        failure = null;
        throw error;
      }
      const found = await Promise.all(
        names.map((name) =>
          describe(
            { api, memory, launchStatus, setupStands, priceOf },
            name,
            records.find((record) => record.name === name),
          ),
        ),
      );
      const there = found.filter((cluster) => cluster !== null);
      const up = there.filter((cluster) => cluster.status === 'UP').map(({ name }) => name);
      // One that has just come up was heard of.
      for (const name of up) heardAt.set(name, lastHeard(name));
      const [silent] = up
        .filter((name) => now() - lastHeard(name) >= SILENT_MS)
        .sort((a, b) => lastHeard(a) - lastHeard(b));
      if (silent !== undefined) lookFor(silent);
      return there;
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

/** A server that was started again knows nothing of a launch that it was busy with, and does not go on with it. */
const CUT_OFF = "SkyPilot's API server was started again during the launch.";

interface Parts {
  readonly api: SkyApi;
  readonly memory: Memory;
  readonly launchStatus: SkyApi['statusOf'];
  readonly setupStands: StandsInQueue;
  readonly priceOf: PriceOf;
}

async function describe(
  { api, memory, launchStatus, setupStands, priceOf }: Parts,
  name: ClusterName,
  record: ClusterRecord | undefined,
): Promise<Cluster | null> {
  const { launches } = await memory.read(name);
  // The first makes the cluster; what later ones add is waited for, or told, where a task needs it.
  const first = launches[0]?.requestId ?? null;
  const request = first === null ? null : await launchStatus(first);
  const isUnderWay = request === 'PENDING' || request === 'RUNNING';
  const status = record ? clusterStatusOf(record.status) : 'INIT';
  const isForgotten = first !== null && request === null && record !== undefined;
  const isCutOff = isForgotten && !(status === 'UP' && (await setupStands(name, launches, first)));
  const hasFailed = first !== null && (request === 'FAILED' || request === 'CANCELLED');
  const failure = isCutOff ? CUT_OFF : hasFailed ? await failureOf(api, first) : null;
  // UP while the launch still syncs the base: jobs sent now would not find it.
  const isUp = status === 'UP' && !isUnderWay && !isCutOff;
  if (!record && !isUnderWay && failure === null) return null;
  return {
    name,
    status: isUp ? 'UP' : failure !== null ? 'STOPPED' : 'INIT',
    statusReason:
      failure ?? (isUp ? null : (record?.init_status_reason ?? record?.last_event ?? 'SkyPilot has not begun yet.')),
    accelerators: acceleratorsOf(record?.accelerators),
    hardware: [record?.cloud, record?.region, record?.node_names].filter(Boolean).join(' ') || null,
    pricePerHourUsd: isUp && record ? await priceOf(record) : null,
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
