import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where things lie in a cluster's folder. Node's own modules only: the runner imports this file and must start fast. */
export const lockOf = (folder: string): string => join(folder, 'lock');
export const clusterFile = (folder: string): string => join(folder, 'cluster.json');
export const runnerFile = (folder: string): string => join(folder, 'runner.json');
export const runnerLog = (folder: string): string => join(folder, 'runner.log');
export const statusReasonFile = (folder: string): string => join(folder, 'status-reason');
/** What runs now, a job or a setup: for whoever finds the runner dead. */
export const processFile = (folder: string): string => join(folder, 'process.json');

/** What is asked of the runner, one file an item, the only folder that it watches. */
export const inboxOf = (folder: string): string => join(folder, 'inbox');
export const DOWN = 'down';
export const environmentItem = (number: number): string => `environment-${padded(number)}`;
export const taskItem = (number: number): string => `task-${padded(number)}`;
export const cancelItem = (number: number): string => `cancel-${padded(number)}`;

export function numbersOf(kind: 'environment' | 'task' | 'cancel', items: readonly string[]): number[] {
  return items
    .filter((item) => item.startsWith(`${kind}-`) && !item.includes('.')) // a dot: still being written
    .map((item) => Number(item.slice(kind.length + 1)))
    .sort((a, b) => a - b);
}

export const jobFolder = (folder: string, number: number): string => join(folder, 'jobs', padded(number));
export const jobScript = (folder: string, number: number): string => join(jobFolder(folder, number), 'run.sh');
export const jobLog = (folder: string, number: number): string => join(jobFolder(folder, number), 'log');
export const jobStatusFile = (folder: string, number: number): string => join(jobFolder(folder, number), 'status.json');

/** All that is large: what setups installed and experiments wrote. */
export const environmentsOf = (folder: string): string => join(folder, 'environments');
export const environmentFolder = (folder: string, key: string): string => join(environmentsOf(folder), key);
export const workdirOf = (environment: string): string => join(environment, 'workdir');
export const setupScript = (environment: string): string => join(environment, 'setup.sh');
export const setupLog = (environment: string): string => join(environment, 'setup.log');
/**
 * Named `.venv`, for uv looks for one in the folders above the working directory too: without this one it would find, and
 * change, that of the user's project, in which the clusters' folder lies.
 */
export const privatePython = (environment: string): string => join(environment, '.venv');

const padded = (number: number): string => String(number).padStart(6, '0');

/** The value of the marker variable for all that a cluster runs begins with this; `incarnation` is its life from launch to down. */
export const markerPrefix = (incarnation: string): string => `${incarnation}/`;
export const setupMarker = (incarnation: string): string => `${markerPrefix(incarnation)}setup`;
/** Of one length, for a marker is also looked for as a beginning: job 1 is not job 12. */
export const jobMarker = (incarnation: string, number: number): string =>
  `${markerPrefix(incarnation)}${padded(number)}`;

/** A cluster's name begins with a letter, so these are never taken for one. */
export const stagingName = (): string => `.new-${randomBytes(6).toString('hex')}`;
/** Where the jobs and logs of a cluster stay that ended while nobody may have read them. */
export const rememberedName = (name: string): string => `.ended-${name}`;

/** A reader sees the old text or the new, never half of one. */
export function writeAtomically(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}
