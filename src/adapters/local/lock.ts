import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning } from './process-identity.js';

/**
 * A lock among processes that nobody has to break: the files of `folder` are generations, the highest names the holder and
 * is emptied on release. Taking it is making the next generation, which only one can do, and a holder that died is passed
 * in just that way. (Removing a dead holder's file and making one's own are two steps, between which another may come.)
 */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const file = await take(folder);
  try {
    return await work();
  } finally {
    // By handle, for by now the folder may have been removed and its path belong to another's lock.
    await file.truncate(0);
    await file.close();
  }
}

async function take(folder: string): Promise<FileHandle> {
  const own = join(folder, `.${process.pid}-${randomBytes(6).toString('hex')}`);
  const file = await open(own, 'wx');
  try {
    await file.writeFile(JSON.stringify(identify(process.pid)));
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 20)) {
      const latest = await latestGeneration(folder);
      if ((await isFree(folder, latest)) && (await become(folder, own, latest + 1))) return file;
      await sleep(pauseMs * (0.5 + Math.random()));
    }
  } catch (error) {
    await file.close();
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

async function become(folder: string, own: string, generation: number): Promise<boolean> {
  const path = join(folder, String(generation));
  try {
    await link(own, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  const generations = await generationsIn(folder);
  // Whoever slept between looking and linking may have made a generation that was passed long ago.
  if (Math.max(...generations) !== generation) {
    await rm(path, { force: true });
    return false;
  }
  const passed = generations.filter((other) => other < generation);
  await Promise.all(passed.map((other) => rm(join(folder, String(other)), { force: true })));
  return true;
}

async function isFree(folder: string, generation: number): Promise<boolean> {
  if (generation === 0) return true;
  let holder: string;
  try {
    holder = await readFile(join(folder, String(generation)), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false; // passed meanwhile: look again
    throw error;
  }
  return holder === '' || !isRunning(JSON.parse(holder));
}

const latestGeneration = async (folder: string): Promise<number> => Math.max(0, ...(await generationsIn(folder)));

async function generationsIn(folder: string): Promise<number[]> {
  return (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Makes the folder of a lock, where it does not exist. */
export const makeLock = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true });
};

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null);

/** What a file operation says when the cluster's folder was removed meanwhile. */
export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT';
