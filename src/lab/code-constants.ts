import type { Literal } from '../domain/experiment.js';
import type { SnapshotHash } from '../domain/ids.js';
import { findConstants } from '../domain/python-constants.js';
import { pythonValue } from '../domain/python-value.js';
import type { SnapshotStore } from '../store/snapshots.js';
import { isEditable } from './environment.js';
import type { Lab } from './lab.js';

export type CodeConstants = Readonly<Record<string, Literal>>;

interface Known {
  /** By the content's hash: a script is parsed once, however many snapshots hold it. */
  readonly scripts: Map<string, CodeConstants>;
  /** By the snapshot's hash and what is editable. */
  readonly snapshots: Map<string, CodeConstants>;
}
const knownOf = new WeakMap<SnapshotStore, Known>();

/**
 * The values of the overridable constants in the editable Python files of a snapshot, of the first file that has the name. Empty where the
 * snapshot is gone: what is not known is left out.
 */
export async function constantsOf(lab: Lab, hash: SnapshotHash): Promise<CodeConstants> {
  const known = knownOf.get(lab.snapshots) ?? { scripts: new Map(), snapshots: new Map() };
  knownOf.set(lab.snapshots, known);
  const key = [hash, ...lab.project.settings.editable].join('\n');
  const before = known.snapshots.get(key);
  if (before) return before;
  const snapshot = await lab.snapshots.load(hash).catch(() => null);
  const scripts = (snapshot?.files ?? []).filter(({ path }) => path.endsWith('.py') && isEditable(lab, path));
  const all: Record<string, Literal> = {};
  for (const script of [...scripts].reverse()) {
    const text = known.scripts.has(script.sha256) ? null : await lab.snapshots.content(script).catch(() => null);
    if (text !== null) known.scripts.set(script.sha256, valuesIn(text.toString()));
    Object.assign(all, known.scripts.get(script.sha256));
  }
  if (snapshot) known.snapshots.set(key, all);
  return all;
}

const valuesIn = (source: string): CodeConstants =>
  Object.fromEntries(findConstants(source).overridable.map(({ name, value }) => [name, pythonValue(value)]));
