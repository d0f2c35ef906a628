import { createHash } from 'node:crypto';
import { isCode, pythonMeaning } from '../domain/identity.js';
import type { Snapshot, SnapshotFile } from '../domain/snapshot.js';
import type { SnapshotStore } from '../store/snapshots.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A file is parsed once, however many snapshots hold it; its name is its content's hash, so nothing goes stale. */
const known = new Map<string, string>();

/** The same for two snapshots that run the same code: 64 hexadecimal digits. A script that may be run is not one that may not. */
export async function identityOf(snapshots: SnapshotStore, { files }: Snapshot): Promise<string> {
  const lines: string[] = [];
  for (const file of files.filter(({ path }) => isCode(path))) {
    lines.push(`${await meaningOf(snapshots, file)} ${file.executable ? 'x' : '-'} ${file.path}\n`);
  }
  return sha256(lines.join(''));
}

async function meaningOf(snapshots: SnapshotStore, file: SnapshotFile): Promise<string> {
  if (!file.path.endsWith('.py')) return file.sha256;
  const before = known.get(file.sha256);
  if (before !== undefined) return before;
  const meaning = pythonMeaning((await snapshots.content(file)).toString());
  const hash = meaning === null ? file.sha256 : sha256(meaning);
  known.set(file.sha256, hash);
  return hash;
}
