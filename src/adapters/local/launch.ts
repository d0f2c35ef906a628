import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AutoresearchError } from '../../domain/errors.js';
import type { Launch, LaunchRequest } from '../../ports/cluster-backend.js';
import { buryIfDead, clusterNames, forget, removeAbandoned, withDirectoryLock } from './bury.js';
import type { ClusterFile, Slot } from './cluster-files.js';
import {
  clusterFile,
  DOWN,
  environmentFolder,
  environmentItem,
  inboxOf,
  lockOf,
  numbersOf,
  runnerFile,
  runnerLog,
  writeAtomically,
} from './cluster-folder.js';
import { isMissing, withLock } from './lock.js';
import { identify } from './process-identity.js';
import { type ClusterReader, isLive, type LiveCluster } from './reader.js';
import { environmentFile, objectionTo, stageCluster } from './stage.js';

export interface Launcher {
  readonly directory: string;
  readonly reader: ClusterReader;
  slots(): Promise<readonly Slot[]>;
}

/** A cluster of that name that is just ending has this long to be gone. */
const GOING_DOWN_MS = 15_000;

export async function launch(launcher: Launcher, requests: readonly LaunchRequest[]): Promise<Launch[]> {
  if (!existsSync(RUNNER)) {
    throw new AutoresearchError(
      'backend_failed',
      `${RUNNER} does not exist.`,
      'Run `npm run build`, then launch_wave again.',
    );
  }
  await mkdir(launcher.directory, { recursive: true });
  const launches = await Promise.all(requests.map((request) => launchOne(launcher, request)));
  await removeAbandoned(launcher.directory);
  return launches;
}

async function launchOne(launcher: Launcher, request: LaunchRequest): Promise<Launch> {
  const { cluster } = request;
  const objection = objectionTo(request);
  if (objection !== null) return { cluster, status: 'rejected', reason: objection };
  if (await isPrepared(launcher.reader, request)) return { cluster, status: 'accepted' };
  const slots = await launcher.slots();
  const startedAt = Date.now();
  for (;;) {
    let staging: string;
    try {
      staging = await stageCluster(launcher.directory, request);
    } catch (error) {
      return { cluster, status: 'rejected', reason: `The working directory could not be copied: ${error}` };
    }
    try {
      return await withDirectoryLock(launcher.directory, () => place(launcher, request, slots, staging));
    } catch (error) {
      if (!isMissing(error) || Date.now() - startedAt > GOING_DOWN_MS) {
        return { cluster, status: 'rejected', reason: `The cluster could not be made: ${error}` };
      }
      await sleep(50); // it ended, or is ending, while we talked to it
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }
}

/** Asked again for what is there: nothing to copy. */
async function isPrepared(reader: ClusterReader, { cluster, environment }: LaunchRequest): Promise<boolean> {
  const found = await reader.find(cluster);
  if (!isLive(found)) return false;
  try {
    const items = await reader.items(found);
    return !items.includes(DOWN) && (await reader.environmentKeys(found, items)).includes(environment.key);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function place(
  { directory, reader }: Launcher,
  request: LaunchRequest,
  slots: readonly Slot[],
  staging: string,
): Promise<Launch> {
  const { cluster, idleMinutes } = request;
  const existing = await buryIfDead(directory, reader, cluster);
  if (existing) {
    await addEnvironment(reader, existing, request, staging);
    return { cluster, status: 'accepted' };
  }
  const taken = await slotHolders(directory, reader);
  const free = slots.filter(({ index }) => !taken.has(index));
  const slot = byPreference(free, request.accelerators)[0];
  if (!slot) return { cluster, status: 'rejected', reason: whoHolds(slots, taken) };
  const file: ClusterFile = { name: cluster, incarnation: randomBytes(4).toString('hex'), slot, idleMinutes };
  writeAtomically(clusterFile(staging), JSON.stringify(file));
  writeAtomically(join(inboxOf(staging), environmentItem(1)), JSON.stringify(environmentFile(request)));
  const folder = join(directory, cluster);
  await forget(directory, cluster);
  await rename(staging, folder);
  await startRunner(folder, file);
  return { cluster, status: 'accepted' };
}

/** Throws as for a missing file when the cluster is gone or going. */
async function addEnvironment(
  reader: ClusterReader,
  existing: LiveCluster,
  request: LaunchRequest,
  staging: string,
): Promise<void> {
  const { key } = request.environment;
  await withLock(lockOf(existing.folder), async () => {
    const items = await reader.items(existing);
    if (items.includes(DOWN)) throw Object.assign(new Error(`${existing.folder} is going down`), { code: 'ENOENT' });
    if ((await reader.environmentKeys(existing, items)).includes(key)) return;
    const place = environmentFolder(existing.folder, key);
    await rm(place, { recursive: true, force: true }); // of a launch that was killed before it could say so
    await rename(environmentFolder(staging, key), place);
    const number = (numbersOf('environment', items).at(-1) ?? 0) + 1;
    writeAtomically(join(inboxOf(existing.folder), environmentItem(number)), JSON.stringify(environmentFile(request)));
  });
}

/** By slot; under the directory's lock. A cluster whose runner was killed holds none any more. */
export async function slotHolders(directory: string, reader: ClusterReader): Promise<Map<number, LiveCluster>> {
  const clusters = await Promise.all(
    (await clusterNames(directory)).map((name) => buryIfDead(directory, reader, name)),
  );
  return new Map(clusters.filter((cluster) => cluster !== null).map((cluster) => [cluster.file.slot.index, cluster]));
}

function byPreference(slots: readonly Slot[], accelerators: readonly string[]): Slot[] {
  const wishes = accelerators.map(withoutCount);
  const rank = ({ accelerators: has }: Slot): number => {
    const wish = wishes.indexOf(withoutCount(has));
    return wish < 0 ? wishes.length : wish;
  };
  return slots.toSorted((a, b) => rank(a) - rank(b));
}

const withoutCount = (accelerators: string): string => accelerators.split(':')[0]?.toUpperCase() ?? '';

function whoHolds(slots: readonly Slot[], taken: ReadonlyMap<number, LiveCluster>): string {
  const holders = slots.map(({ index, accelerators }) => `${accelerators} by ${taken.get(index)?.file.name}`);
  return `All ${slots.length} slots of this machine are taken: ${holders.join(', ')}. Queue on one of these clusters, or teardown one.`;
}

/** The built file, also where the tests run this one as TypeScript: plain Node runs the runner. */
const RUNNER = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/adapters/local/runner.js' : './runner.js', import.meta.url),
);

async function startRunner(folder: string, { incarnation }: ClusterFile): Promise<void> {
  const log = openSync(runnerLog(folder), 'a');
  const runner = spawn(process.execPath, [RUNNER, folder, incarnation], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await new Promise<void>((resolve, reject) => runner.once('spawn', resolve).once('error', reject));
  runner.unref();
  const identity = runner.pid === undefined ? null : identify(runner.pid);
  if (identity) writeAtomically(runnerFile(folder), JSON.stringify(identity));
}
