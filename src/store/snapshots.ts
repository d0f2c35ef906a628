import { createHash, randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { AutoresearchError } from '../domain/errors.js';
import { SnapshotHash } from '../domain/ids.js';
import { byPath, deltaBetween, manifestText, Snapshot, type SnapshotFile } from '../domain/snapshot.js';

/** A file with its content, as read from the project or made from it. */
export interface SourceFile {
  readonly path: string;
  readonly content: Buffer;
  readonly executable: boolean;
}

/** Content-addressed: equal files lie here once, equal snapshots have equal hashes. */
export interface SnapshotStore {
  save(files: readonly SourceFile[]): Promise<Snapshot>;
  load(hash: SnapshotHash): Promise<Snapshot>;
  content(file: SnapshotFile): Promise<Buffer>;
  /** A folder that holds the snapshot's files and nothing else; made once. */
  materialise(snapshot: Snapshot): Promise<string>;
  /** Unified diff; files that are no text are named only. */
  diff(from: SnapshotHash, to: SnapshotHash): Promise<string>;
}

/** Two long files that have nothing in common would hold the server for minutes. */
const LONGEST_DIFF_MS = 1_000;

const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

/** What the files are called together; nothing is written. */
export function snapshotOf(sources: readonly SourceFile[]): Snapshot {
  const files = [...sources].sort(byPath).map(({ path, content, executable }) => ({
    path,
    sha256: sha256(content),
    executable,
  }));
  return { hash: SnapshotHash.parse(sha256(manifestText(files))), files };
}

export function openSnapshots(directory: string): SnapshotStore {
  const objectPath = (hash: string) => join(directory, 'objects', hash.slice(0, 2), hash);
  const treePath = (hash: string) => join(directory, 'trees', `${hash}.json`);
  const loaded = new Map<SnapshotHash, Snapshot>();

  const load = async (hash: SnapshotHash): Promise<Snapshot> => {
    const known = loaded.get(hash) ?? (await readTree(treePath(hash)));
    loaded.set(hash, known);
    return known;
  };
  const content = (file: SnapshotFile) => readFile(objectPath(file.sha256));

  return {
    load,
    content,
    async save(sources) {
      const snapshot = snapshotOf(sources);
      if (loaded.has(snapshot.hash)) return snapshot;
      for (const { content: bytes } of sources) await writeOnce(objectPath(sha256(bytes)), bytes);
      await writeOnce(treePath(snapshot.hash), JSON.stringify(snapshot));
      loaded.set(snapshot.hash, snapshot);
      return snapshot;
    },
    async materialise(snapshot) {
      const folder = join(directory, 'folders', snapshot.hash);
      if (existsSync(folder)) return folder;
      const building = `${folder}.${randomUUID()}`;
      await mkdir(building, { recursive: true });
      for (const file of snapshot.files) {
        const path = join(building, file.path);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, await content(file));
        if (file.executable) await chmod(path, 0o755);
      }
      // Another process may have been first; what it made is the same.
      await rename(building, folder).catch(async (error: unknown) => {
        await rm(building, { recursive: true, force: true });
        if (!existsSync(folder)) throw error;
      });
      return folder;
    },
    async diff(from, to) {
      const [before, after] = [await load(from), await load(to)];
      const { changed, removed } = deltaBetween(before, after);
      const patches = [...changed, ...removed].sort(byPath).map(async ({ path }) => {
        const [old, now] = [before, after].map(({ files }) => files.find((file) => file.path === path));
        const [oldBytes, newBytes] = [old ? await content(old) : null, now ? await content(now) : null];
        if (oldBytes?.includes(0) || newBytes?.includes(0)) return `Binary files a/${path} and b/${path} differ\n`;
        const names = [old ? `a/${path}` : '/dev/null', now ? `b/${path}` : '/dev/null'] as const;
        if (old && now && old.sha256 === now.sha256)
          return `Mode of ${path}: ${modeOf(old)} before, ${modeOf(now)} now\n`;
        const patch = createTwoFilesPatch(...names, oldBytes?.toString() ?? '', newBytes?.toString() ?? '', '', '', {
          context: 3,
          timeout: LONGEST_DIFF_MS,
        });
        return patch?.replace(/^=+\n/, '') ?? `Files a/${path} and b/${path} differ in too much to list it\n`;
      });
      return (await Promise.all(patches)).join('');
    },
  };
}

const modeOf = ({ executable }: SnapshotFile): string => (executable ? 'executable' : 'not executable');

async function readTree(path: string): Promise<Snapshot> {
  try {
    return Snapshot.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new AutoresearchError(
      'state_damaged',
      `${path}, which lists the files of a snapshot, cannot be read.`,
      'Restore it from a backup, or launch the same code again: that writes it anew.',
      { cause: error },
    );
  }
}

/** By size too: after a power cut a file may be there and empty, and then what is known to belong there mends it. */
async function writeOnce(path: string, bytes: Buffer | string): Promise<void> {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.size === Buffer.byteLength(bytes)) return;
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${randomUUID()}`;
    await writeFile(temporary, bytes);
    await rename(temporary, path);
  } catch (error) {
    throw new AutoresearchError(
      'invalid_project',
      `The snapshot cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      'Make the project folder writable, with room on its disk.',
      { cause: error },
    );
  }
}
