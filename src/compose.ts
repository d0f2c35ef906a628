import { createHash, randomBytes } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BACKENDS } from './adapters/index.js';
import { createPythonChecker } from './adapters/python/python-checker.js';
import { AutoresearchError } from './domain/errors.js';
import { secretsOf } from './domain/redact.js';
import type { Lab } from './lab/lab.js';
import { readProject } from './store/read-project.js';
import { openSnapshots } from './store/snapshots.js';
import { openStore } from './store/store.js';

export interface Workshop {
  /** Reads the project's settings anew where they have changed. @throws invalid_project */
  openLab(): Promise<Lab>;
  /** Gives the lease back, so that another server goes on at once. */
  close(): Promise<void>;
}

/** `--project`, else AUTORESEARCH_PROJECT, else the working directory. */
export const projectFolder = (flag: string | undefined): string =>
  resolve(flag ?? (process.env['AUTORESEARCH_PROJECT'] || '.'));

export function openWorkshop(directory: string): Workshop {
  const stateDirectory = join(directory, '.autoresearch');
  const store = openStore(stateDirectory, Date.now);
  const snapshots = openSnapshots(join(stateDirectory, 'snapshots'));
  let opened: { stamp: string; lab: Lab } | null = null;

  return {
    async openLab() {
      const stamp = stampOf(join(directory, 'autoresearch.yaml'));
      if (opened?.stamp === stamp) return opened.lab;
      const project = await readProject(directory);
      const createBackend = BACKENDS[project.settings.backend];
      if (!createBackend) {
        throw new AutoresearchError(
          'invalid_project',
          `autoresearch.yaml: there is no backend "${project.settings.backend}".`,
          `Backends: ${Object.keys(BACKENDS).join(', ')}.`,
        );
      }
      const lab: Lab = {
        project,
        backend: createBackend({ project, stateDirectory }),
        checker: createPythonChecker(directory),
        store,
        snapshots,
        secrets: secretsOf(process.env),
        mark: markOf(directory, project.campaign),
        now: Date.now,
        // Not unref'd: Node would leave a wait that nothing else keeps alive unfinished, without a word.
        sleep: (milliseconds, signal) =>
          sleep(milliseconds, undefined, signal ? { signal } : {}).catch(() => undefined),
        within: (milliseconds, work) => {
          const patience = new AbortController();
          const timeout = sleep(milliseconds, undefined, { signal: patience.signal }).catch(() => undefined);
          return Promise.race([work.finally(() => patience.abort()), timeout]);
        },
        randomId: () => randomBytes(12).toString('hex'),
      };
      opened = { stamp, lab };
      return lab;
    },
    close: () => store.lease.release(),
  };
}

/** Changes when the file does, and when it comes or goes. */
function stampOf(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats ? `${stats.ino}-${stats.mtimeNs}-${stats.size}` : 'none';
}

function markOf(directory: string, campaign: string): string {
  return createHash('sha256')
    .update(`${hostname()}\n${realpathSync(directory)}\n${campaign}`)
    .digest('hex')
    .slice(0, 6);
}
