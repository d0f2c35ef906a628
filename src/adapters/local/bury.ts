import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterName } from '../../ports/cluster-backend.js';
import { RunnerFile, readJson } from './cluster-files.js';
import { environmentsOf, markerPrefix, processFile, rememberedName } from './cluster-folder.js';
import { isMissing, makeLock, withLock } from './lock.js';
import { endProcesses } from './process-group.js';
import { isRunning } from './process-identity.js';
import { type ClusterReader, type FoundCluster, isLive, type LiveCluster } from './reader.js';

/** A launch that was killed half-way leaves a folder; by this age nobody works in it any more. */
const ABANDONED_MS = 60 * 60 * 1000;

/** Launches and removals of clusters, among all processes, one after the other. */
export async function withDirectoryLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const lock = join(directory, '.lock');
  await makeLock(lock);
  return await withLock(lock, work);
}

/** The cluster if it lives. One whose runner was killed is none: what it left running is ended and its slot is free. */
export async function findLive(
  directory: string,
  reader: ClusterReader,
  name: ClusterName,
): Promise<LiveCluster | null> {
  const found = await reader.find(name);
  if (found === null || isLive(found)) return found;
  return await withDirectoryLock(directory, async () => await buryIfDead(directory, reader, name));
}

/** To be called under the directory's lock: whoever launches holds it until the runner runs. */
export async function buryIfDead(
  directory: string,
  reader: ClusterReader,
  name: ClusterName,
): Promise<LiveCluster | null> {
  const found = await reader.find(name);
  if (found === null || isLive(found)) return found;
  await bury(directory, found);
  return null;
}

async function bury(directory: string, { folder, file }: FoundCluster): Promise<void> {
  const last = await readJson(processFile(folder), RunnerFile.nullable());
  const group = last && isRunning(last) ? last.pid : null;
  await endProcesses({ group, marker: markerPrefix(file.incarnation) });
  const remembered = join(directory, rememberedName(file.name));
  const taken = join(directory, `.new-buried-${file.incarnation}`);
  try {
    await rename(folder, taken);
  } catch (error) {
    // It left by itself while we looked: what it leaves to be remembered is its own.
    if (isMissing(error)) return;
    throw error;
  }
  await rm(remembered, { recursive: true, force: true });
  await rename(taken, remembered);
  await rm(environmentsOf(remembered), { recursive: true, force: true });
}

/** For a name that is launched anew or brought down: what its last cluster left was read, or is given up. */
export const forget = (directory: string, name: ClusterName): Promise<void> =>
  rm(join(directory, rememberedName(name)), { recursive: true, force: true });

export async function clusterNames(directory: string): Promise<ClusterName[]> {
  return (await readdir(directory)).flatMap((entry) => ClusterName.safeParse(entry).data ?? []);
}

export async function removeAbandoned(directory: string): Promise<void> {
  const entries = (await readdir(directory)).filter((entry) => /^\.new-/.test(entry));
  for (const entry of entries) {
    const path = join(directory, entry);
    const changedAt = (await stat(path).catch(() => null))?.mtimeMs ?? Date.now();
    if (Date.now() - changedAt > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}

/** True when `condition` came to hold in time. */
export async function eventually(condition: () => Promise<boolean> | boolean, withinMs: number): Promise<boolean> {
  const startedAt = Date.now();
  for (let pauseMs = 5; !(await condition()); pauseMs = Math.min(pauseMs * 1.5, 50)) {
    if (Date.now() - startedAt > withinMs) return false;
    await sleep(pauseMs);
  }
  return true;
}
