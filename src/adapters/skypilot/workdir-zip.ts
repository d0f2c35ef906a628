import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Zippable, zipSync } from 'fflate';

/** A folder as SkyPilot's API server takes it from afar. */
export interface WorkdirZip {
  /** Names the content: what was sent once need not be sent again. 64 hexadecimal digits. */
  readonly blobId: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the task names as its workdir, and the folder that the entries lie in. */
  readonly workdir: string;
  /** The server unpacks without these bits; whoever runs the files sets them again. Paths in the folder. */
  readonly executables: readonly string[];
}

const WORKDIR = '/workdir';
/** The earliest that a zip can say, so that equal folders give equal bytes. */
const MTIME = '1980-01-01';

export async function zipWorkdir(folder: string): Promise<WorkdirZip> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  const files: Zippable = {};
  const executables: string[] = [];
  for (const path of paths) {
    files[`${WORKDIR.slice(1)}/${path}`] = [await readFile(join(folder, path)), { mtime: MTIME }];
    if (((await stat(join(folder, path))).mode & 0o100) !== 0) executables.push(path);
  }
  const bytes = zipSync(files);
  return { blobId: createHash('sha256').update(bytes).digest('hex'), bytes, workdir: WORKDIR, executables };
}
