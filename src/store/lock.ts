import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import lockfile from 'proper-lockfile';
import { AutoresearchError } from '../domain/errors.js';

/** A holder that has not touched its lock for so long is dead; killed servers cost their successor this wait at most. */
const STALE_MS = 5_000;

const LONGEST_WAIT_MS = 12_000;
const POLL_MS = 10;

/** One writer at a time, over all processes and within this one. */
export function createLock(directory: string, name: string): <T>(work: () => Promise<T>) => Promise<T> {
  const queue = new PQueue({ concurrency: 1 });
  return (work) =>
    queue.add(async () => {
      const release = await acquire(directory, name);
      try {
        return await work();
      } finally {
        // A lock that was taken over while this process was suspended has nothing left to release.
        await release().catch(() => undefined);
      }
    });
}

async function acquire(directory: string, name: string): Promise<() => Promise<void>> {
  const deadline = performance.now() + LONGEST_WAIT_MS;
  for (;;) {
    try {
      return await lockfile.lock(join(directory, name), {
        realpath: false,
        stale: STALE_MS,
        update: 1_000,
        // A holder that was suspended for long: the default ends the server. What it writes late, the journal sorts out.
        onCompromised: () => undefined,
      });
    } catch (error) {
      const isHeld = error instanceof Error && 'code' in error && error.code === 'ELOCKED';
      if (isHeld && performance.now() < deadline) {
        await sleep(POLL_MS);
        continue;
      }
      throw isHeld
        ? new AutoresearchError(
            'state_locked',
            `Another process has held ${directory} for more than ten seconds.`,
            'Call again; if it goes on, look for a server on this project that hangs.',
            { cause: error },
          )
        : new AutoresearchError(
            'invalid_project',
            `The state in ${directory} cannot be locked: ${error instanceof Error ? error.message : String(error)}`,
            'Is the folder still there, and writable?',
            { cause: error },
          );
    }
  }
}

/** The right to poll and submit, held by one server of several for as long as it lives. */
export interface Lease {
  /** True while this process holds it; asks for it when it does not. */
  hold(): Promise<boolean>;
  release(): Promise<void>;
}

export function createLease(directory: string): Lease {
  let release: (() => Promise<void>) | null = null;
  return {
    async hold() {
      if (release) return true;
      const taken = await lockfile
        .lock(join(directory, 'collector'), {
          realpath: false,
          stale: STALE_MS,
          update: 1_000,
          onCompromised: () => {
            release = null;
          },
        })
        .catch(() => null);
      // Of two calls at once one is refused, by ourselves: it must not forget what the other got.
      release = taken ?? release;
      return release !== null;
    },
    async release() {
      const held = release;
      release = null;
      await held?.().catch(() => undefined);
    },
  };
}
