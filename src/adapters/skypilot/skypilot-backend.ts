import PQueue from 'p-queue';
import { z } from 'zod';
import { AutoresearchError } from '../../domain/errors.js';
import type { ClusterBackend, ClusterName } from '../../ports/cluster-backend.js';
import { lookAtClusters } from './clusters.js';
import { jobNumberOf } from './job-id.js';
import { createJobReader } from './jobs.js';
import { launchOne } from './launch.js';
import { startLocalServer } from './local-server.js';
import type { Memory } from './memory.js';
import { offersOf } from './offers.js';
import { rememberingSetups } from './setups.js';
import { isSkyError, type SkyApi, SkyError } from './sky-api.js';
import { submit } from './submit.js';

export interface SkypilotOptions {
  readonly api: SkyApi;
  readonly memory: Memory;
  readonly infra: string | null;
  readonly now?: () => number;
  readonly strandedMs?: number;
}

/** Each call takes SkyPilot seconds, most of it a Python that starts. */
const CONCURRENCY = 6;
/**
 * All that a wave sends at once, not one after the other: SkyPilot answers with a job's number before four more Pythons of that job
 * start on its cluster (to queue it, wait for it, drive it, run it), and where they hold up the next submission it takes twice as
 * long. A local API server has four workers for it and starts more as they are needed, of 0.25 GB each: so not without end.
 */
const SUBMISSIONS = 12;

/** Behind many launches that wait a submission may be PENDING for longer: it only loses its turn. */
const STRANDED_MS = 240_000;

/** A queue that is asked for what runs costs its cluster, and the server, a second of a core or more. */
const POLL_MS = 5_000;

const GONE = ['ClusterDoesNotExist', 'ClusterNotUpError'] as const;

/** Clusters of any infra that SkyPilot knows, through the REST interface of its API server. */
export function createSkypilotBackend({
  api,
  memory,
  infra,
  now = Date.now,
  strandedMs = STRANDED_MS,
}: SkypilotOptions): ClusterBackend {
  const inParallel = <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> =>
    new PQueue({ concurrency: CONCURRENCY }).addAll(items.map((item) => () => work(item)));
  const setupStands = rememberingSetups(api);
  const look = lookAtClusters(api, memory, setupStands, now);
  const reader = createJobReader(api, memory);
  const submissions = new PQueue({ concurrency: SUBMISSIONS });
  const submitter = {
    api,
    memory,
    look,
    submissions,
    setUp: new Map<string, Promise<void>>(),
    setupStands,
    strandedMs,
  };

  const backend: ClusterBackend = {
    name: 'skypilot',
    capabilities: { choosesAccelerators: true, remembersJobs: false, pollMs: POLL_MS },
    offers: async () => offersOf(api, infra, await takenByLaunches(api, memory)),
    launch: (requests) => inParallel(requests, (request) => launchOne(api, memory, look, request)),
    clusters: (names) => look.clusters(names),
    submit: (cluster, tasks) => submit(submitter, cluster, tasks),

    async jobs(clusters) {
      const queues = await inParallel(clusters, async (cluster) => {
        const jobs = await reader.jobs(cluster).catch(unlessGone(null, () => look.doubt(cluster)));
        if (jobs !== null) look.heard(cluster);
        return jobs ?? [];
      });
      return queues.flat();
    },

    logs: (jobs) => inParallel(jobs, reader.log),

    async cancel(jobs) {
      const clusters = [...new Set(jobs.map(({ cluster }) => cluster))];
      await inParallel(clusters, async (cluster_name) => {
        const known = await memory.read(cluster_name);
        const job_ids = jobs
          .filter(({ cluster }) => cluster === cluster_name)
          .map(({ jobId }) => jobNumberOf(known, jobId))
          .filter((number) => number !== null);
        if (job_ids.length === 0) return;
        await api.call('/cancel', { cluster_name, job_ids }, z.unknown()).catch(unlessGone(undefined));
      });
    },

    starter: async () => ((await api.isLocal()) ? { command: 'sky api start', run: startLocalServer } : null),

    // All at once: if this process ends meanwhile, SkyPilot has heard of each.
    down: async (clusters) =>
      void (await Promise.all([...new Set(clusters)].map((cluster) => downOne(api, memory, cluster)))),
  };
  return {
    ...backend,
    offers: () => inOurWords(backend.offers()),
    launch: (requests) => inOurWords(backend.launch(requests)),
    clusters: (names) => inOurWords(backend.clusters(names)),
    submit: (cluster, tasks) => inOurWords(backend.submit(cluster, tasks)),
    jobs: (clusters) => inOurWords(backend.jobs(clusters)),
    logs: (jobs) => inOurWords(backend.logs(jobs)),
    cancel: (jobs) => inOurWords(backend.cancel(jobs)),
    down: (clusters) => inOurWords(backend.down(clusters)),
  };
}

async function inOurWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof SkyError)) throw error;
    throw new AutoresearchError(
      'backend_failed',
      `SkyPilot failed with ${error.type}: ${error.message}`,
      'Call again; if it stays so, a person should look at `sky api logs` and `sky check`.',
      { cause: error },
    );
  }
}

/** What launches that are under way asked for first: the infra does not know yet that it is taken. */
async function takenByLaunches(api: SkyApi, memory: Memory): Promise<string[]> {
  const launches = await Promise.all(
    (await memory.clusters()).map(async (cluster) => (await memory.read(cluster)).launches[0]),
  );
  const taken = await Promise.all(
    launches.map(async (launch) => {
      const status = launch ? await api.statusOf(launch.requestId) : null;
      return status === 'PENDING' || status === 'RUNNING' ? launch?.accelerators[0] : undefined;
    }),
  );
  return taken.filter((accelerators) => accelerators !== undefined);
}

async function downOne(api: SkyApi, memory: Memory, cluster: ClusterName): Promise<void> {
  for (const { requestId } of (await memory.read(cluster)).launches) {
    const status = await api.statusOf(requestId);
    // A launch that waits for a machine is given up first; what it left pending, down removes.
    if (status === 'PENDING' || status === 'RUNNING') await api.cancelRequest(requestId);
  }
  await api.call('/down', { cluster_name: cluster }, z.unknown()).catch(unlessGone(undefined));
  await memory.forget(cluster);
}

/** A cluster that is gone is left out, here as everywhere; `told` hears of it. */
const unlessGone =
  <T>(value: T, told: () => void = () => undefined) =>
  (error: unknown): T => {
    if (!isSkyError(error, ...GONE)) throw error;
    told();
    return value;
  };
