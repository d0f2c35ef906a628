import type { SnapshotHash } from '../domain/ids.js';
import type { Snapshot } from '../domain/snapshot.js';
import { type SnapshotStore, snapshotOf } from './snapshots.js';

/** Reads what is kept, and keeps what is saved in memory only: for who looks ahead and must write nothing. */
export function unsavedSnapshots(kept: SnapshotStore): SnapshotStore {
  const trees = new Map<SnapshotHash, Snapshot>();
  const contents = new Map<string, Buffer>();
  return {
    ...kept,
    load: async (hash) => trees.get(hash) ?? kept.load(hash),
    content: async (file) => contents.get(file.sha256) ?? kept.content(file),
    async save(sources) {
      const snapshot = snapshotOf(sources);
      trees.set(snapshot.hash, snapshot);
      const byPath = new Map(sources.map(({ path, content }) => [path, content]));
      for (const { path, sha256 } of snapshot.files) {
        const content = byPath.get(path);
        if (content) contents.set(sha256, content);
      }
      return snapshot;
    },
  };
}
