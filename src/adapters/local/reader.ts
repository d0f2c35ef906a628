import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { type ClusterName, isFinalJobStatus } from '../../ports/cluster-backend.js';
import { ClusterFile, EnvironmentFile, JobStatusFile, RunnerFile, readJson, TaskFile } from './cluster-files.js';
import {
  clusterFile,
  environmentItem,
  inboxOf,
  jobStatusFile,
  numbersOf,
  rememberedName,
  runnerFile,
  statusReasonFile,
  taskItem,
} from './cluster-folder.js';
import { isMissing } from './lock.js';
import { isRunning, type ProcessIdentity } from './process-identity.js';

export interface FoundCluster {
  readonly folder: string;
  readonly file: ClusterFile;
  /** Null where its runner was killed, or whoever launched it before there was one. */
  readonly runner: ProcessIdentity | null;
}

export interface LiveCluster extends FoundCluster {
  readonly runner: ProcessIdentity;
}

export interface NumberedTask {
  readonly number: number;
  readonly task: TaskFile;
}

export interface ClusterReader {
  /** What lies on disk, whether it lives or not. */
  find(name: ClusterName): Promise<FoundCluster | null>;
  /** What is left of the last one of that name that ended unwatched. */
  findRemembered(name: ClusterName): Promise<FoundCluster | null>;
  items(cluster: FoundCluster): Promise<string[]>;
  environmentKeys(cluster: FoundCluster, items: readonly string[]): Promise<string[]>;
  tasks(cluster: FoundCluster, items: readonly string[]): Promise<NumberedTask[]>;
  status(cluster: FoundCluster, number: number): Promise<JobStatusFile | null>;
  statusReason(cluster: FoundCluster): Promise<string | null>;
}

/** What never changes once it is written: read once, though it is asked for every second. */
interface Memory {
  readonly environments: Map<number, EnvironmentFile>;
  readonly tasks: Map<number, TaskFile>;
  readonly ended: Map<number, JobStatusFile>;
}

export const isLive = (cluster: FoundCluster | null): cluster is LiveCluster => cluster?.runner != null;

export function createReader(directory: string): ClusterReader {
  const memories = new Map<string, Memory>();

  function memoryOf({ file: { incarnation } }: FoundCluster): Memory {
    const memory = memories.get(incarnation) ?? { environments: new Map(), tasks: new Map(), ended: new Map() };
    memories.set(incarnation, memory);
    return memory;
  }

  async function findIn(folder: string): Promise<FoundCluster | null> {
    const file = await readJson(clusterFile(folder), ClusterFile);
    if (!file) return null;
    const runner = await readJson(runnerFile(folder), RunnerFile);
    return { folder, file, runner: runner && isRunning(runner) ? runner : null };
  }

  return {
    find: (name) => findIn(join(directory, name)),
    async findRemembered(name) {
      const folder = join(directory, rememberedName(name));
      const file = await readJson(clusterFile(folder), ClusterFile);
      return file && { folder, file, runner: null }; // though it may still run for a moment, tidying up
    },
    items: async ({ folder }) => await readdir(inboxOf(folder)),
    async environmentKeys(cluster, items) {
      const { environments } = memoryOf(cluster);
      const read = (number: number) => join(inboxOf(cluster.folder), environmentItem(number));
      const files = await recall(environments, numbersOf('environment', items), read, EnvironmentFile);
      return files.map(([, { key }]) => key);
    },
    async tasks(cluster, items) {
      const { tasks } = memoryOf(cluster);
      const read = (number: number) => join(inboxOf(cluster.folder), taskItem(number));
      const files = await recall(tasks, numbersOf('task', items), read, TaskFile);
      return files.map(([number, task]) => ({ number, task }));
    },
    async status(cluster, number) {
      const { ended } = memoryOf(cluster);
      const known = ended.get(number);
      if (known) return known;
      const status = await readJson(jobStatusFile(cluster.folder, number), JobStatusFile);
      if (status && isFinalJobStatus(status.status)) ended.set(number, status);
      return status;
    },
    async statusReason({ folder }) {
      try {
        return (await readFile(statusReasonFile(folder), 'utf8')) || null;
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
  };
}

async function recall<T>(
  known: Map<number, T>,
  numbers: readonly number[],
  path: (number: number) => string,
  schema: z.ZodType<T>,
): Promise<[number, T][]> {
  const files = await Promise.all(
    numbers.map(async (number): Promise<[number, T] | null> => {
      const file = known.get(number) ?? (await readJson(path(number), schema));
      if (file === null) return null; // the cluster went down while we read
      known.set(number, file);
      return [number, file];
    }),
  );
  return files.filter((file) => file !== null);
}
