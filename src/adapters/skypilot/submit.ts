import { z } from 'zod';
import { AutoresearchError } from '../../domain/errors.js';
import type { ClusterName, Submission, Task } from '../../ports/cluster-backend.js';
import type { ClusterLook } from './clusters.js';
import { jobIdOf } from './job-id.js';
import { queueOf } from './jobs.js';
import type { Memory } from './memory.js';
import { Submitted } from './schemas.js';
import { type SkyApi, SkyError } from './sky-api.js';
import { taskYaml } from './task-yaml.js';

interface Parts {
  readonly api: SkyApi;
  readonly memory: Memory;
  readonly look: ClusterLook;
}

export function submit(
  { api, memory, look }: Parts,
  cluster: ClusterName,
  tasks: readonly Task[],
): Promise<Submission[]> {
  return memory.exclusively(cluster, async () => {
    const [found] = await look.clusters([cluster]);
    if (!found) {
      throw new AutoresearchError('backend_failed', `SkyPilot has no cluster ${cluster}.`, 'Launch it first.');
    }
    const submissions: Submission[] = [];
    // One after the other: side by side they would change places in the queue.
    for (const task of tasks) submissions.push(await submitOne(api, memory, cluster, task, found.accelerators));
    return submissions;
  });
}

async function submitOne(
  api: SkyApi,
  memory: Memory,
  cluster: ClusterName,
  task: Task,
  accelerators: string | null,
): Promise<Submission> {
  const { name, environmentKey } = task;
  const known = await memory.read(cluster);
  const launch = known.launches.find(({ key }) => key === environmentKey);
  if (!launch) return rejected(name, `Nothing was launched on ${cluster} for the environment "${environmentKey}".`);
  const submitted = async (requestId: string): Promise<Submission> => {
    const { job_id } = await api.wait(requestId, Submitted);
    return { name, status: 'submitted', jobId: jobIdOf(known, job_id) };
  };
  const earlier = known.tasks[name];
  try {
    if (earlier) return await submitted(earlier);
    // Begun by a server that died before it knew: only the queue can say whether it got through.
    const found = earlier === null ? (await queueOf(api, cluster)).find((job) => job.job_name === name) : undefined;
    if (found) return { name, status: 'submitted', jobId: jobIdOf(known, found.job_id) };
    // Setup is a job of the launch: before that has ended, this task could get in front of it.
    await api.wait(launch.requestId, z.unknown());
    await memory.change(cluster, ({ tasks }) => void Object.assign(tasks, { [name]: null }));
    const requestId = await api.start('/exec', { task: taskYaml(task, accelerators), cluster_name: cluster });
    await memory.change(cluster, ({ tasks }) => void Object.assign(tasks, { [name]: requestId }));
    return await submitted(requestId);
  } catch (error) {
    if (!(error instanceof SkyError)) throw error;
    await memory.change(cluster, ({ tasks }) => void delete tasks[name]);
    return rejected(name, error.message);
  }
}

const rejected = (name: string, reason: string): Submission => ({ name, status: 'rejected', reason });
