import {
  type Cluster,
  type ClusterBackend,
  type ClusterName,
  isFinalJobStatus,
  type Job,
  type JobLog,
  type JobRef,
  type Offer,
} from '../../ports/cluster-backend.js';
import { withDirectoryLock } from './bury.js';
import { cancel } from './cancel.js';
import type { JobStatusFile, Slot } from './cluster-files.js';
import { jobLog } from './cluster-folder.js';
import { down } from './down.js';
import { jobIdOf, jobNumber } from './job-id.js';
import { launch, slotHolders } from './launch.js';
import { isMissing } from './lock.js';
import { slotsOfMachine } from './machine.js';
import { readHeadAndTail } from './read-log.js';
import {
  type ClusterReader,
  createReader,
  type FoundCluster,
  isLive,
  type LiveCluster,
  type NumberedTask,
} from './reader.js';
import { submit } from './submit.js';

export interface LocalBackendOptions {
  /** Absolute path of the folder in which each cluster has one of its own. */
  readonly directory: string;
  /** Null: what the machine has. */
  readonly slots: number | null;
  /** CPU threads a slot, on a machine without GPUs. */
  readonly threads?: number;
  readonly now?: () => number;
}

/** This machine as clusters: each is a detached process with a queue on disk, so that nothing here is held in memory. */
export function createLocalBackend({ directory, slots, threads, now = Date.now }: LocalBackendOptions): ClusterBackend {
  const reader = createReader(directory);
  let machine: Promise<Slot[]> | null = null;
  const slotsHere = (): Promise<Slot[]> => {
    machine ??= slotsOfMachine({ slots, threads });
    return machine;
  };
  const live = async (names: Iterable<ClusterName>): Promise<LiveCluster[]> => {
    const found = await Promise.all([...new Set(names)].map((name) => reader.find(name)));
    return found.filter(isLive);
  };

  return {
    name: 'local',
    capabilities: { choosesAccelerators: false, remembersJobs: true, pollMs: 250 },

    async offers() {
      const taken = await withDirectoryLock(directory, () => slotHolders(directory, reader));
      return offersOf(await slotsHere(), new Set(taken.keys()));
    },

    launch: (requests) => launch({ directory, reader, slots: slotsHere }, requests),

    async clusters(names) {
      return unlessGone(await live(names), (cluster) => describe(reader, cluster));
    },

    submit: (cluster, tasks) => submit({ directory, reader, now }, cluster, tasks),

    async jobs(names) {
      const running = await unlessGone(await live(names), (cluster) => jobsOf(reader, cluster));
      // Looked for afterwards: a cluster that ended while it was read is among these.
      const left = await unlessGone(await remembered(reader, names), (cluster) => jobsOf(reader, cluster));
      const ended = left.flat().filter(({ status }) => isFinalJobStatus(status));
      const jobs = new Map([...ended, ...running.flat()].map((job) => [job.jobId, job]));
      return [...jobs.values()].toSorted((a, b) => a.submittedAt - b.submittedAt);
    },

    async logs(jobs) {
      const alive = await live(jobs.map(({ cluster }) => cluster));
      return await Promise.all(jobs.map((job) => logOf(reader, alive, job)));
    },

    async cancel(jobs) {
      await Promise.all(jobs.map((job) => cancel(directory, reader, job)));
    },

    async down(clusters) {
      await Promise.all([...new Set(clusters)].map((name) => down(directory, reader, name)));
    },
  };
}

function offersOf(slots: readonly Slot[], taken: ReadonlySet<number>): Offer[] {
  const free = new Map<string, number>();
  for (const { index, accelerators } of slots) {
    if (!taken.has(index)) free.set(accelerators, (free.get(accelerators) ?? 0) + 1);
  }
  return [...free].map(([accelerators, count]) => ({ accelerators, infra: null, free: count, pricePerHourUsd: null }));
}

async function describe(reader: ClusterReader, cluster: LiveCluster): Promise<Cluster> {
  const { name, slot, idleMinutes } = cluster.file;
  return {
    name,
    status: 'UP',
    statusReason: await reader.statusReason(cluster),
    accelerators: slot.accelerators,
    hardware: slot.hardware,
    pricePerHourUsd: null,
    environmentKeys: await reader.environmentKeys(cluster, await reader.items(cluster)),
    idleMinutes,
  };
}

async function jobsOf(reader: ClusterReader, cluster: FoundCluster): Promise<Job[]> {
  const tasks = await reader.tasks(cluster, await reader.items(cluster));
  return await Promise.all(
    tasks.map(async (numbered) => jobOf(cluster, numbered, await reader.status(cluster, numbered.number))),
  );
}

const jobOf = ({ file }: FoundCluster, { number, task }: NumberedTask, status: JobStatusFile | null): Job => ({
  cluster: file.name,
  jobId: jobIdOf(file, number),
  name: task.name,
  status: status?.status ?? 'PENDING',
  submittedAt: task.submittedAt,
  startedAt: status?.startedAt ?? null,
  endedAt: status?.endedAt ?? null,
  exitCode: status?.exitCode ?? null,
  timedOut: status?.timedOut ?? false,
});

/** A log that is not where its cluster lived may have moved with it meanwhile. */
async function logOf(reader: ClusterReader, alive: readonly LiveCluster[], job: JobRef): Promise<JobLog> {
  const { cluster, jobId } = job;
  const home = logFileIn(alive, job);
  const text = home === null ? null : await readHeadAndTail(home);
  if (text !== null) return { cluster, jobId, text };
  const left = logFileIn(await remembered(reader, [cluster]), job);
  if (left !== null) return { cluster, jobId, text: (await readHeadAndTail(left)) ?? '' };
  return { cluster, jobId, text: home === null ? null : '' };
}

function logFileIn(clusters: readonly FoundCluster[], job: JobRef): string | null {
  for (const { folder, file } of clusters) {
    const number = file.name === job.cluster ? jobNumber(file, job) : null;
    if (number !== null) return jobLog(folder, number);
  }
  return null;
}

/** What clusters that ended by themselves, or whose runner was killed, left behind. Looking changes nothing. */
async function remembered(reader: ClusterReader, names: readonly ClusterName[]): Promise<FoundCluster[]> {
  const places = [...new Set(names)].flatMap((name) => [reader.find(name), reader.findRemembered(name)]);
  return (await Promise.all(places)).filter((cluster) => cluster !== null).filter((cluster) => !isLive(cluster));
}

/** Leaves out a cluster whose folder goes away while it is read. */
async function unlessGone<T, Found extends FoundCluster>(
  clusters: readonly Found[],
  read: (cluster: Found) => Promise<T>,
): Promise<T[]> {
  const results = await Promise.all(
    clusters.map(async (cluster) => {
      try {
        return { value: await read(cluster) };
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    }),
  );
  return results.flatMap((result) => (result ? [result.value] : []));
}
