import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterName } from '../../ports/cluster-backend.js';
import { buryIfDead, eventually, findLive, forget, withDirectoryLock } from './bury.js';
import { DOWN, inboxOf } from './cluster-folder.js';
import { isMissing } from './lock.js';
import { isRunning } from './process-identity.js';
import type { ClusterReader, LiveCluster } from './reader.js';

/** More than the grace of a job and the time until one that is stuck in a driver is given up. */
const DOWN_MS = 15_000;
/** The runner removes its files last; these may be large, and nobody needs to wait for the end of that. */
const REMOVAL_MS = 5000;

export async function down(directory: string, reader: ClusterReader, name: ClusterName): Promise<void> {
  const cluster = await findLive(directory, reader, name);
  if (cluster) await endCluster(directory, reader, name, cluster);
  await forget(directory, name);
}

async function endCluster(
  directory: string,
  reader: ClusterReader,
  name: ClusterName,
  cluster: LiveCluster,
): Promise<void> {
  try {
    await writeFile(join(inboxOf(cluster.folder), DOWN), '');
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const isGone = async (): Promise<boolean> =>
    !isRunning(cluster.runner) || (await reader.find(name))?.file.incarnation !== cluster.file.incarnation;
  if (!(await eventually(isGone, DOWN_MS)) && isRunning(cluster.runner)) process.kill(cluster.runner.pid, 'SIGKILL');
  await eventually(() => !isRunning(cluster.runner), REMOVAL_MS);
  await withDirectoryLock(directory, async () => await buryIfDead(directory, reader, name));
}
