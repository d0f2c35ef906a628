import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AutoresearchError } from '../domain/errors.js';
import type { Experiment } from '../domain/experiment.js';
import { deltaBetween, type Snapshot } from '../domain/snapshot.js';
import { listed } from '../domain/suggest.js';
import { assertCanCommit, commitFiles, uncommitted } from '../store/git-commit.js';
import { readProjectFiles } from '../store/project-files.js';
import { changeTree, type TreeChange } from '../store/project-tree.js';
import type { SourceFile } from '../store/snapshots.js';
import { isEditable } from './environment.js';
import type { Lab } from './lab.js';

export interface Applied {
  /** Files that were changed now; those that held the experiment's code already are not among them. */
  readonly changed: readonly string[];
  readonly commit: string | null;
  /** What the person should know of the commit. */
  readonly notes: readonly string[];
}

/**
 * Puts the experiment's code into the project's own files: what the snapshot holds, byte by byte. Only where every editable file is still
 * that of its base, for anything else has never run.
 * @param message of the commit; null: none is wanted
 * @throws invalid_code where the project has changed; invalid_project where it cannot be written or committed. Nothing is then changed.
 */
export async function applyKept(lab: Lab, experiment: Experiment, message: string | null): Promise<Applied> {
  const root = lab.project.directory;
  const [base, snapshot] = [await lab.snapshots.load(experiment.base), await lab.snapshots.load(experiment.snapshot)];
  const delta = deltaBetween(base, snapshot);
  const paths = [...delta.changed, ...delta.removed].map(({ path }) => path);
  const tree = await readProjectFiles(root);
  await assertUnchanged(lab, experiment, tree, { base, snapshot });
  if (message !== null) await assertCanCommit(root);
  const before = message === null ? [] : await uncommitted(root, paths);

  const changes = await changesTo(lab, tree, snapshot, paths);
  const undo = await changeTree(root, changes);
  const changed = changes.map(({ path }) => path);
  if (message === null) return { changed, commit: null, notes: [] };
  const dirty = await uncommitted(root, paths);
  if (dirty.length === 0) return { changed, commit: null, notes: ['There was nothing to commit.'] };
  try {
    const commit = await commitFiles(root, dirty, message);
    const mixed = before.filter((path) => changed.includes(path));
    const note = `The commit also holds what was not committed before in ${listed(mixed)}.`;
    return { changed, commit, notes: mixed.length > 0 ? [note] : [] };
  } catch (error) {
    await undo();
    throw error;
  }
}

async function assertUnchanged(
  lab: Lab,
  { id }: Experiment,
  tree: readonly SourceFile[],
  { base, snapshot }: { base: Snapshot; snapshot: Snapshot },
): Promise<void> {
  const now = await lab.snapshots.save(tree);
  const differs = (from: Snapshot) => {
    const { changed, removed } = deltaBetween(from, now);
    return new Set([...changed, ...removed].map(({ path }) => path).filter((path) => isEditable(lab, path)));
  };
  const [fromBase, fromSnapshot] = [differs(base), differs(snapshot)];
  const foreign = [...fromBase].filter((path) => fromSnapshot.has(path));
  const locked = [...deltaBetween(base, snapshot).changed].filter(({ path }) => !isEditable(lab, path));
  if (foreign.length === 0 && locked.length === 0) return;
  throw new AutoresearchError(
    'invalid_code',
    foreign.length > 0
      ? `${listed(foreign)} is no longer what ${id} started from: with its change the result would be code that never ran.`
      : `${listed(locked.map(({ path }) => path))} must not be changed any more.`,
    `Nothing was changed. ${
      foreign.length > 0
        ? `Launch its change anew on the project as it is, and keep that run; or put ${listed(foreign)} back.`
        : 'See autoresearch.yaml: editable.'
    }`,
  );
}

const wouldOverwrite = (path: string) =>
  new AutoresearchError(
    'invalid_code',
    `${path} is there, but git ignores it, and the experiment has a file of that name.`,
    'Nothing was changed. Move it away and call again.',
  );

async function changesTo(
  lab: Lab,
  tree: readonly SourceFile[],
  snapshot: Snapshot,
  paths: readonly string[],
): Promise<TreeChange[]> {
  const changes: TreeChange[] = [];
  for (const path of paths) {
    const before = tree.find((file) => file.path === path) ?? null;
    const kept = snapshot.files.find((file) => file.path === path) ?? null;
    const after = kept && { path, executable: kept.executable, content: await lab.snapshots.content(kept) };
    if (!before && existsSync(join(lab.project.directory, path))) throw wouldOverwrite(path);
    const isSame = before && after && before.executable === after.executable && before.content.equals(after.content);
    if (!isSame && (before || after)) changes.push({ path, before, after });
  }
  return changes;
}
