import { chmod, lstat, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AutoresearchError } from '../domain/errors.js';
import type { SourceFile } from './snapshots.js';

export interface TreeChange {
  readonly path: string;
  /** null: it is not there. */
  readonly before: SourceFile | null;
  readonly after: SourceFile | null;
}

/**
 * Changes files of the project, all or none: each is written beside its place first, then put there by rename, and what was put there is
 * taken back when a later one fails.
 * @returns takes all of it back
 * @throws invalid_project where a file cannot be written; the project is then as it was
 */
export async function changeTree(root: string, changes: readonly TreeChange[]): Promise<() => Promise<void>> {
  const done: TreeChange[] = [];
  const undo = async () => {
    for (const { path, before, after } of done.splice(0).reverse())
      await put(root, { path, before: after, after: before });
  };
  const staged = new Map<TreeChange, string>();
  try {
    for (const change of changes) if (change.after) staged.set(change, await stage(root, change.after));
    for (const change of changes) {
      await put(root, change, staged.get(change));
      done.push(change);
    }
  } catch (error) {
    await undo();
    for (const path of staged.values()) await rm(path, { force: true });
    throw new AutoresearchError(
      'invalid_project',
      `The project's files cannot be changed: ${error instanceof Error ? error.message : String(error)}`,
      'They are as they were. Make the folder writable and call again.',
      { cause: error },
    );
  }
  return undo;
}

async function put(root: string, { path, after }: TreeChange, staged?: string): Promise<void> {
  const place = await placeOf(root, path);
  if (after) await rename(staged ?? (await stage(root, after)), place);
  else await rm(place, { force: true });
}

/** A link inside the project stays one: what it leads to is changed. */
async function placeOf(root: string, path: string): Promise<string> {
  const place = join(root, path);
  const isLink = (await lstat(place).catch(() => null))?.isSymbolicLink() ?? false;
  return isLink ? realpath(place) : place;
}

async function stage(root: string, { path, content, executable }: SourceFile): Promise<string> {
  const place = await placeOf(root, path);
  const mode = (await lstat(place).catch(() => null))?.mode ?? 0o644;
  const temporary = `${place}.autoresearch-new`;
  await mkdir(dirname(place), { recursive: true });
  await writeFile(temporary, content);
  await chmod(temporary, executable ? mode | 0o100 : mode & ~0o111);
  return temporary;
}
