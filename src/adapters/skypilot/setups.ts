import type { ClusterName } from '../../ports/cluster-backend.js';
import { queueOf } from './jobs.js';
import type { ClusterMemory } from './memory.js';
import type { SkyApi } from './sky-api.js';
import { SETUP_JOB } from './task-yaml.js';

/**
 * Whether a launch got as far as setup, the last that it does: of a launch that the API server was busy with before it was
 * started again, only the cluster's queue knows.
 */
export type StandsInQueue = (
  cluster: ClusterName,
  launches: ClusterMemory['launches'],
  requestId: string,
) => Promise<boolean>;

/** A queue is read until it says so: it takes SkyPilot seconds, and a setup that stands there stays. */
export function rememberingSetups(api: SkyApi): StandsInQueue {
  const standing = new Set<string>();
  return async (cluster, launches, requestId) => {
    if (standing.has(requestId)) return true;
    const setups = (await queueOf(api, cluster)).filter(({ job_name }) => job_name === SETUP_JOB);
    // One for each launch, in their order.
    for (const launch of launches.slice(0, setups.length)) standing.add(launch.requestId);
    return standing.has(requestId);
  };
}
