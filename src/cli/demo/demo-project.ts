import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder: the repository, or what npm installed. */
export const PACKAGE_FOLDER = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

const QUICKSTART = resolve(PACKAGE_FOLDER, 'examples', 'quickstart');

/**
 * Where the demo runs: the folder that was asked for, else the repository's examples/quickstart. From an installed package a copy of
 * that in the working directory, since git ignores node_modules and with it every file that a snapshot would hold.
 */
export async function demoProject(asked: string | undefined): Promise<string> {
  if (asked !== undefined) return resolve(asked);
  if (!PACKAGE_FOLDER.split(sep).includes('node_modules')) return QUICKSTART;
  const copy = resolve('autoresearch-quickstart');
  if (!existsSync(copy)) {
    await cp(QUICKSTART, copy, { recursive: true, filter: (path) => !path.includes('.autoresearch') });
  }
  return copy;
}
