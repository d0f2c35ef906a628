import PQueue from 'p-queue';
import { z } from 'zod';
import type {
  ClusterBackend,
  ClusterName,
  Job,
  JobLog,
  JobRef,
  Launch,
  LaunchRequest,
  Submission,
  Task,
} from '../../ports/cluster-backend.js';
import { lookAtClusters } from './clusters.js';
import type { Memory } from './memory.js';
import { offersOf } from './offers.js';
import { JobRecord, Submitted } from './schemas.js';
import { isSkyError, type SkyApi, SkyError } from './sky-api.js';
import { launchYaml, SETUP_JOB, taskYaml } from './task-yaml.js';
import { jobStatusOf } from './words.js';

export interface SkypilotOptions {
  readonly api: SkyApi;
  readonly memory: Memory;
  readonly infra: string | null;
  readonly now?: () => number;
}

/** Each call takes SkyPilot seconds, most of it a Python that starts; its server runs four long ones at a time. */
const CONCURRENCY = 6;

const GONE = ['ClusterDoesNotExist', 'ClusterNotUpError'] as const;

/** Clusters of any infra that SkyPilot knows, through the REST interface of its API server. */
export function createSkypilotBackend({ api, memory, infra, now = Date.now }: SkypilotOptions): ClusterBackend {
  const inParallel = <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> =>
    new PQueue({ concurrency: CONCURRENCY }).addAll(items.map((item) => () => work(item)));
  const look = lookAtClusters(api, memory, now);

  return {
    name: 'skypilot',
    capabilities: { choosesAccelerators: true, remembersJobs: false, pollMs: 2_000 },
    offers: () => offersOf(api, infra),
    launch: (requests) => inParallel(requests, (request) => launchOne(api, memory, request)),
    clusters: (names) => look.clusters(names),

    async submit(cluster, tasks) {
      const [{ accelerators = null } = {}] = await look.clusters([cluster]);
      const submissions: Submission[] = [];
      // One after the other: side by side they would change places in the queue.
      for (const task of tasks) submissions.push(await submitOne(api, memory, cluster, task, accelerators));
      return submissions;
    },

    async jobs(clusters) {
      const queues = await inParallel(clusters, (cluster) => jobsOf(api, cluster).catch(unlessGone([], look.doubt)));
      return queues.flat();
    },

    logs: (jobs) => inParallel(jobs, (job) => logOf(api, job)),

    async cancel(jobs) {
      const byCluster = new Map<ClusterName, number[]>();
      for (const { cluster, jobId } of jobs) byCluster.set(cluster, [...(byCluster.get(cluster) ?? []), Number(jobId)]);
      await inParallel([...byCluster], ([cluster_name, job_ids]) =>
        api.call('/cancel', { cluster_name, job_ids }, z.unknown()).catch(unlessGone(undefined)),
      );
    },

    async down(clusters) {
      await inParallel(clusters, async (cluster) => {
        const last = (await memory.read(cluster)).launches.at(-1)?.requestId ?? null;
        const status = last === null ? null : await api.statusOf(last);
        // A launch that waits for a machine is given up first; what it left pending, down removes.
        if (last !== null && (status === 'PENDING' || status === 'RUNNING')) await api.cancelRequest(last);
        await api.call('/down', { cluster_name: cluster }, z.unknown()).catch(unlessGone(undefined));
        await memory.forget(cluster);
      });
    },
  };
}

async function launchOne(api: SkyApi, memory: Memory, request: LaunchRequest): Promise<Launch> {
  const { cluster, environment, idleMinutes } = request;
  const { launches } = await memory.read(cluster);
  const known = launches.find(({ key }) => key === environment.key);
  if (known?.requestId) return { cluster, status: 'accepted' };
  try {
    const body = {
      task: launchYaml(request),
      cluster_name: cluster,
      idle_minutes_to_autostop: Math.ceil(idleMinutes),
      down: true,
    };
    const requestId = await api.start('/launch', body);
    await memory.change(cluster, (file) => void file.launches.push({ key: environment.key, requestId }));
    return { cluster, status: 'accepted' };
  } catch (error) {
    if (error instanceof SkyError) return { cluster, status: 'rejected', reason: error.message };
    throw error;
  }
}

async function submitOne(
  api: SkyApi,
  memory: Memory,
  cluster: ClusterName,
  task: Task,
  accelerators: string | null,
): Promise<Submission> {
  const { name } = task;
  try {
    const earlier = (await memory.read(cluster)).tasks[name];
    if (earlier) return submitted(name, (await api.wait(earlier, Submitted)).job_id);
    // Begun by a server that died before it knew: only the queue can say whether it got through.
    const found = earlier === null ? (await jobsOf(api, cluster)).find((job) => job.name === name) : undefined;
    if (found) return { name, status: 'submitted', jobId: found.jobId };
    await memory.change(cluster, ({ tasks }) => void Object.assign(tasks, { [name]: null }));
    const requestId = await api.start('/exec', { task: taskYaml(task, accelerators), cluster_name: cluster });
    await memory.change(cluster, ({ tasks }) => void Object.assign(tasks, { [name]: requestId }));
    return submitted(name, (await api.wait(requestId, Submitted)).job_id);
  } catch (error) {
    if (!(error instanceof SkyError)) throw error;
    await memory.change(cluster, ({ tasks }) => void delete tasks[name]);
    return { name, status: 'rejected', reason: error.message };
  }
}

const submitted = (name: string, jobId: number): Submission => ({ name, status: 'submitted', jobId: String(jobId) });

async function jobsOf(api: SkyApi, cluster: ClusterName): Promise<Job[]> {
  const records = await api.call('/queue', { cluster_name: cluster, skip_finished: false }, z.array(JobRecord));
  return records
    .filter(({ job_name }) => job_name !== SETUP_JOB)
    .sort((a, b) => a.job_id - b.job_id)
    .map((record) => {
      const status = jobStatusOf(record.status);
      return {
        cluster,
        jobId: String(record.job_id),
        name: record.job_name,
        status,
        submittedAt: milliseconds(record.submitted_at) ?? 0,
        startedAt: milliseconds(record.start_at),
        endedAt: milliseconds(record.end_at),
        // SkyPilot's queue does not tell it; the log of a failed job does, in words.
        exitCode: status === 'SUCCEEDED' ? 0 : null,
        timedOut: false,
      };
    });
}

const milliseconds = (seconds: number | null | undefined): number | null =>
  seconds === null || seconds === undefined ? null : Math.round(seconds * 1000);

async function logOf(api: SkyApi, { cluster, jobId }: JobRef): Promise<JobLog> {
  const body = { cluster_name: cluster, job_id: Number(jobId), follow: false, tail: 0 };
  const text = await api.text('/logs', body).catch((error: unknown) => {
    if (error instanceof SkyError) return null;
    throw error;
  });
  return { cluster, jobId, text };
}

/** A cluster that is gone is left out, here as everywhere; `told` hears of it. */
const unlessGone =
  <T>(value: T, told: () => void = () => undefined) =>
  (error: unknown): T => {
    if (!isSkyError(error, ...GONE)) throw error;
    told();
    return value;
  };
