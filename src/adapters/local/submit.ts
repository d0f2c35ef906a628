import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AutoresearchError } from '../../domain/errors.js';
import type { ClusterName, Submission, Task } from '../../ports/cluster-backend.js';
import { findLive } from './bury.js';
import type { TaskFile } from './cluster-files.js';
import { DOWN, inboxOf, jobFolder, jobScript, lockOf, numbersOf, taskItem, writeAtomically } from './cluster-folder.js';
import { jobIdOf } from './job-id.js';
import { isMissing, withLock } from './lock.js';
import { type ClusterReader, isLive, type LiveCluster } from './reader.js';

export async function submit(
  { directory, reader, now }: { directory: string; reader: ClusterReader; now: () => number },
  name: ClusterName,
  tasks: readonly Task[],
): Promise<Submission[]> {
  const cluster = await findLive(directory, reader, name);
  if (!cluster) throw notUp(name);
  try {
    return await withLock(lockOf(cluster.folder), async () => {
      const current = await reader.find(name); // another of that name may live by now
      if (!isLive(current)) throw notUp(name);
      return await append(reader, current, tasks, now);
    });
  } catch (error) {
    throw isMissing(error) ? notUp(name, error) : error;
  }
}

async function append(
  reader: ClusterReader,
  cluster: LiveCluster,
  tasks: readonly Task[],
  now: () => number,
): Promise<Submission[]> {
  const items = await reader.items(cluster);
  if (items.includes(DOWN)) throw notUp(cluster.file.name);
  const keys = await reader.environmentKeys(cluster, items);
  const numbers = new Map((await reader.tasks(cluster, items)).map(({ number, task }) => [task.name, number]));
  let last = numbersOf('task', items).at(-1) ?? 0;
  const submissions: Submission[] = [];
  for (const task of tasks) {
    const reason = objectionTo(task, keys);
    if (reason !== null) {
      submissions.push({ name: task.name, status: 'rejected', reason });
      continue;
    }
    const known = numbers.get(task.name);
    const number = known ?? ++last;
    if (known === undefined) await enqueue(cluster, number, task, now());
    numbers.set(task.name, number);
    submissions.push({ name: task.name, status: 'submitted', jobId: jobIdOf(cluster.file, number) });
  }
  return submissions;
}

/** The script first: with the item in the inbox the job may start. */
async function enqueue({ folder }: LiveCluster, number: number, task: Task, submittedAt: number): Promise<void> {
  const { name, environmentKey, run, envs, timeoutSeconds } = task;
  const file: TaskFile = { name, environmentKey, envs: { ...envs }, timeoutSeconds, submittedAt };
  await mkdir(jobFolder(folder, number), { recursive: true });
  await writeFile(jobScript(folder, number), run);
  writeAtomically(join(inboxOf(folder), taskItem(number)), JSON.stringify(file));
}

function objectionTo({ environmentKey, timeoutSeconds }: Task, keys: readonly string[]): string | null {
  if (!keys.includes(environmentKey)) {
    return `The cluster has no environment ${environmentKey}; it has ${keys.join(', ')}. Launch it there first.`;
  }
  if (!(timeoutSeconds > 0)) return `timeoutSeconds is ${timeoutSeconds}; it must be above 0.`;
  return null;
}

const notUp = (name: ClusterName, cause?: unknown): AutoresearchError =>
  new AutoresearchError(
    'backend_failed',
    `Cluster ${name} is not there: it went down, or its runner was killed.`,
    'Call list_clusters_by_gpu for those that are; launch_wave launches new ones.',
    { cause },
  );
