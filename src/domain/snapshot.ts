import { z } from 'zod';
import { SnapshotHash } from './ids.js';

/** One file of a snapshot: where it stands in the project, and what it holds. */
export const SnapshotFile = z.strictObject({
  /** Relative, with `/`, no control characters or backslashes: what `sha256sum` prints unescaped. */
  path: z.string(),
  sha256: z.string(),
  executable: z.boolean(),
});
export type SnapshotFile = z.infer<typeof SnapshotFile>;

/** The files by path, in the order of their bytes. */
export const Snapshot = z.strictObject({ hash: SnapshotHash, files: z.array(SnapshotFile) });
export type Snapshot = z.infer<typeof Snapshot>;

/** Behind the sums of a snapshot that has executable files: a script that may be run is not the same as one that may not. */
export const executableText = (files: readonly SnapshotFile[]): string =>
  files.flatMap(({ path, executable }) => (executable ? [`executable  ${path}\n`] : [])).join('');

/** What `sha256sum FILE…` prints for the files in order, and which are executable: its own sha256 is the snapshot's hash. */
export const manifestText = (files: readonly SnapshotFile[]): string =>
  files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join('') + executableText(files);

/** `LC_ALL=C sort`: by bytes, not by UTF-16 units. */
export const byPath = (a: { path: string }, b: { path: string }): number =>
  Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));

export interface SnapshotDelta {
  /** Files that are new or hold something else. */
  readonly changed: readonly SnapshotFile[];
  readonly removed: readonly SnapshotFile[];
}

export function deltaBetween(from: Snapshot, to: Snapshot): SnapshotDelta {
  const before = new Map(from.files.map((file) => [file.path, file]));
  const after = new Set(to.files.map(({ path }) => path));
  return {
    changed: to.files.filter((file) => {
      const old = before.get(file.path);
      return !old || old.sha256 !== file.sha256 || old.executable !== file.executable;
    }),
    removed: from.files.filter(({ path }) => !after.has(path)),
  };
}
