import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Low } from 'lowdb';
import { JSONFile } from 'lowdb/node';
import PQueue from 'p-queue';
import { lock } from 'proper-lockfile';
import { z } from 'zod';
import { ClusterName } from '../../ports/cluster-backend.js';

/** What SkyPilot cannot tell a later process about one cluster: which of its requests are ours. */
const ClusterMemory = z.strictObject({
  /** The launch request of each environment, by key, in order; the first is the one that makes the cluster. */
  launches: z.array(
    z.strictObject({ key: z.string(), requestId: z.string(), accelerators: z.array(z.string()).default([]) }),
  ),
  /** By task name the request that submitted it; null: about to be made, so it may or may not have been. */
  tasks: z.record(z.string(), z.string().nullable()),
});
export type ClusterMemory = z.infer<typeof ClusterMemory>;

export interface Memory {
  read(cluster: ClusterName): Promise<ClusterMemory>;
  /** Those of which anything is known. */
  clusters(): Promise<ClusterName[]>;
  change(cluster: ClusterName, change: (memory: ClusterMemory) => void): Promise<void>;
  forget(cluster: ClusterName): Promise<void>;
  /** No other process launches or submits to this cluster meanwhile: two that submit one task would run it twice. */
  exclusively<T>(cluster: ClusterName, work: () => Promise<T>): Promise<T>;
}

/** A holder that died is passed after this long. */
const STALE_MS = 20_000;

export function openMemory(directory: string): Memory {
  const writes = new PQueue({ concurrency: 1 });
  const path = (cluster: ClusterName) => join(directory, `${cluster}.json`);
  const read = async (cluster: ClusterName): Promise<ClusterMemory> => {
    const data = await new JSONFile<unknown>(path(cluster)).read();
    return data === null ? { launches: [], tasks: {} } : ClusterMemory.parse(data);
  };
  return {
    read,
    async clusters() {
      const files = await readdir(directory).catch(() => []);
      return files.filter((file) => file.endsWith('.json')).map((file) => ClusterName.parse(file.slice(0, -5)));
    },
    change: (cluster, change) =>
      writes.add(async () => {
        await mkdir(directory, { recursive: true });
        const low = new Low<ClusterMemory>(new JSONFile(path(cluster)), await read(cluster));
        change(low.data);
        await low.write();
      }),
    forget: (cluster) => rm(path(cluster), { force: true }),
    async exclusively(cluster, work) {
      await mkdir(directory, { recursive: true });
      const release = await lock(path(cluster), {
        realpath: false,
        stale: STALE_MS,
        retries: { forever: true, factor: 1, minTimeout: 100, maxTimeout: 100 },
      });
      try {
        return await work();
      } finally {
        await release();
      }
    },
  };
}
