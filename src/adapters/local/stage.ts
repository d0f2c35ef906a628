import { constants } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LaunchRequest } from '../../ports/cluster-backend.js';
import type { EnvironmentFile } from './cluster-files.js';
import { environmentFolder, inboxOf, lockOf, setupScript, stagingName, workdirOf } from './cluster-folder.js';

/** A key is part of a path. */
const KEY = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

/** Why a request cannot be, before anything is done for it; null when it can. */
export function objectionTo({ idleMinutes, environment: { key } }: LaunchRequest): string | null {
  if (!KEY.test(key)) return `The environment's key "${key}" is not letters, digits, dots and dashes (at most 100).`;
  if (!(idleMinutes > 0)) return `idleMinutes is ${idleMinutes}; a cluster must end some time after its last job.`;
  return null;
}

/** A folder with all that a new cluster needs, to be moved into place in one step; the caller's workdir may go afterwards. */
export async function stageCluster(directory: string, { environment }: LaunchRequest): Promise<string> {
  const staging = join(directory, stagingName());
  const place = environmentFolder(staging, environment.key);
  await mkdir(place, { recursive: true });
  for (const folder of [inboxOf(staging), join(staging, 'jobs'), lockOf(staging)]) await mkdir(folder);
  await cp(environment.workdir, workdirOf(place), {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    mode: constants.COPYFILE_FICLONE,
  });
  if (environment.setup !== null) await writeFile(setupScript(place), environment.setup);
  return staging;
}

export const environmentFile = ({ environment: { key, setup, envs } }: LaunchRequest): EnvironmentFile => ({
  key,
  hasSetup: setup !== null,
  envs: { ...envs },
});
