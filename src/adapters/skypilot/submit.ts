import type PQueue from 'p-queue';
import { z } from 'zod';
import { AutoresearchError } from '../../domain/errors.js';
import type { ClusterName, Submission, Task } from '../../ports/cluster-backend.js';
import type { ClusterLook } from './clusters.js';
import { jobIdOf } from './job-id.js';
import { queueOf } from './jobs.js';
import type { ClusterMemory, Memory } from './memory.js';
import { Submitted } from './schemas.js';
import type { StandsInQueue } from './setups.js';
import { isForgotten, isSkyError, type SkyApi, SkyError } from './sky-api.js';
import { taskYaml } from './task-yaml.js';

interface Parts {
  readonly api: SkyApi;
  readonly memory: Memory;
  readonly look: ClusterLook;
  /** Where the submissions to all clusters wait for their turn. */
  readonly submissions: PQueue;
  /** Launches whose setup is known to stand in its cluster's queue, or is being waited for, by request id: once a process. */
  readonly setUp: Map<string, Promise<void>>;
  readonly setupStands: StandsInQueue;
  /** How long a submission may be PENDING before it is taken for stranded. */
  readonly strandedMs: number;
}

export function submit(parts: Parts, cluster: ClusterName, tasks: readonly Task[]): Promise<Submission[]> {
  const { memory, look } = parts;
  return memory.exclusively(cluster, async () => {
    const [found] = await look.clusters([cluster]);
    if (!found) {
      throw new AutoresearchError('backend_failed', `SkyPilot has no cluster ${cluster}.`, 'Launch it first.');
    }
    const sent = new Map<string, Promise<Submission>>();
    for (const [place, task] of tasks.entries()) {
      if (!sent.has(task.name)) sent.set(task.name, submitOne(parts, cluster, task, place, found.accelerators));
    }
    // No other process may come in between before all of them are answered.
    await Promise.allSettled(sent.values());
    return await Promise.all(tasks.flatMap(({ name }) => sent.get(name) ?? []));
  });
}

/** @param place among the tasks of the call: every cluster's first is sent before any cluster's second */
async function submitOne(
  parts: Parts,
  cluster: ClusterName,
  task: Task,
  place: number,
  accelerators: string | null,
): Promise<Submission> {
  const { memory, submissions } = parts;
  const { name, environmentKey } = task;
  const known = await memory.read(cluster);
  const launch = known.launches.find(({ key }) => key === environmentKey);
  if (!launch) return rejected(name, `Nothing was launched on ${cluster} for the environment "${environmentKey}".`);
  const submitted = (number: number): Submission => ({ name, status: 'submitted', jobId: jobIdOf(known, number) });
  try {
    const earlier = await earlierJob(parts, cluster, name, known.tasks[name]);
    if (earlier !== null) return submitted(earlier);
    await setUpOf(parts, cluster, known, launch.requestId);
    return submitted(await submissions.add(() => exec(parts, cluster, task, accelerators), { priority: -place }));
  } catch (error) {
    if (!(error instanceof SkyError)) throw error;
    await memory.change(cluster, ({ tasks }) => void delete tasks[name]);
    return rejected(name, error.message);
  }
}

async function exec(parts: Parts, cluster: ClusterName, task: Task, accelerators: string | null): Promise<number> {
  const { api, memory, look } = parts;
  const remember = (requestId: string | null) =>
    memory.change(cluster, ({ tasks }) => void Object.assign(tasks, { [task.name]: requestId }));
  // SkyPilot looks itself whether the cluster is there before it takes a job.
  look.heard(cluster);
  for (;;) {
    await remember(null);
    const requestId = await api.start('/exec', { task: taskYaml(task, accelerators), cluster_name: cluster });
    await remember(requestId);
    const number = await earlierJob(parts, cluster, task.name, requestId);
    if (number === null) continue;
    look.heard(cluster);
    return number;
  }
}

/**
 * The number of the job that an earlier submission of this task made; null: it made none.
 * @param requestId what is remembered of it: null, where a server died before it knew; undefined, where there was none
 */
async function earlierJob(
  { api, strandedMs }: Parts,
  cluster: ClusterName,
  name: string,
  requestId: string | null | undefined,
): Promise<number | null> {
  if (requestId === undefined) return null;
  if (requestId !== null) {
    const job_id = await jobOf(api, requestId, strandedMs);
    if (job_id !== null) return job_id;
  }
  // Only the queue can say whether it got through.
  return (await queueOf(api, cluster)).find((job) => job.job_name === name)?.job_id ?? null;
}

/**
 * The job that a submission makes; null: it is forgotten, or was given up. A web process of the API server that is too busy to
 * say for five seconds that it lives is replaced, and what it had accepted and not yet queued is PENDING for ever (SkyPilot
 * 0.14.1 with several of them): what is PENDING for long is cancelled, to be sent anew.
 */
async function jobOf(api: SkyApi, requestId: string, strandedMs: number): Promise<number | null> {
  const giveUpIfPending = async () => {
    if ((await api.statusOf(requestId)) === 'PENDING') await api.cancelRequest(requestId);
  };
  // A server that does not answer now is asked again.
  const timer = setInterval(() => void giveUpIfPending().catch(() => undefined), strandedMs);
  try {
    return (await api.wait(requestId, Submitted)).job_id;
  } catch (error) {
    if (isForgotten(error) || isSkyError(error, 'CANCELLED')) return null;
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Waits until setup stands in the queue; asked for once, however many tasks wait for it. */
async function setUpOf(parts: Parts, cluster: ClusterName, known: ClusterMemory, requestId: string): Promise<void> {
  const { setUp } = parts;
  const waiting = setUp.get(requestId) ?? afterSetup(parts, cluster, known, requestId);
  setUp.set(requestId, waiting);
  await waiting.catch((error: unknown) => {
    setUp.delete(requestId);
    throw error;
  });
}

/** Setup is a job of the launch: before the launch has ended, a task could get in front of it. */
async function afterSetup(
  { api, setupStands }: Parts,
  cluster: ClusterName,
  { launches }: ClusterMemory,
  requestId: string,
): Promise<void> {
  try {
    await api.wait(requestId, z.unknown());
    return;
  } catch (error) {
    if (!isForgotten(error)) throw error;
  }
  if (!(await setupStands(cluster, launches, requestId)))
    throw new SkyError('LaunchCutOff', "SkyPilot's API server was started again before setup was asked for.");
}

const rejected = (name: string, reason: string): Submission => ({ name, status: 'rejected', reason });
