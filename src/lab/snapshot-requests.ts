import { existsSync, realpathSync, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { applyEdit } from '../domain/edits.js';
import { AutoresearchError } from '../domain/errors.js';
import type { Experiment, ExperimentRequest } from '../domain/experiment.js';
import { applyOverrides, findConstants } from '../domain/python-constants.js';
import type { Snapshot } from '../domain/snapshot.js';
import { listed } from '../domain/suggest.js';
import { experimentsOf } from '../domain/wave.js';
import { readProjectFiles } from '../store/project-files.js';
import type { SourceFile } from '../store/snapshots.js';
import { isEditable } from './environment.js';
import { identityOf } from './identify.js';
import type { Lab } from './lab.js';

export interface SnapshottedRequest {
  readonly request: ExperimentRequest;
  /** What it differs from: the project as it is now, or what a replicate's original differed from. */
  readonly base: Snapshot;
  readonly snapshot: Snapshot;
  /** Equal where the same code is run, comments and spaces aside. */
  readonly identity: string;
  /** It runs the base as it is. */
  readonly isBaseline: boolean;
  /** How it is known to be an earlier run's code, which it takes, though it was asked for in other words; null: it is its own. */
  readonly sameAs: string | null;
}

/**
 * The project as it is now, and one snapshot for each request: nothing is kept unless all are good.
 * @throws invalid_code with every problem of every request; too_large, invalid_project as readProjectFiles
 */
export async function snapshotRequests(
  lab: Lab,
  requests: readonly ExperimentRequest[],
): Promise<{ base: Snapshot; runs: SnapshottedRequest[] }> {
  const base = await readProjectFiles(lab.project.directory);
  const earlier = (await lab.store.waves()).flatMap(experimentsOf);
  const problems: string[] = [];
  const hints = new Set<string>();
  const trees: (SourceFile[] | Experiment)[] = [];
  for (const request of requests) {
    try {
      trees.push(request.replicateOf ? originalOf(request, earlier) : await changedFiles(lab, base, request));
    } catch (error) {
      if (!(error instanceof AutoresearchError)) throw error;
      problems.push(requests.length === 1 ? error.message : `"${request.description}": ${error.message}`);
      hints.add(error.hint);
    }
  }
  const changed = trees.filter((tree) => Array.isArray(tree));
  if (problems.length === 0) problems.push(...(await syntaxProblems(lab, base, changed)));
  if (problems.length > 0) {
    const [first, ...others] = problems;
    throw new AutoresearchError(
      'invalid_code',
      [first, ...others.slice(0, 4)].join(' '),
      `${[...hints].slice(0, 3).join(' ') || 'Mend the code and call again.'} Nothing was launched.`,
    );
  }
  const saved = await lab.snapshots.save(base);
  const runs: SnapshottedRequest[] = [];
  for (const [index, request] of requests.entries()) {
    const tree = trees[index] ?? [];
    runs.push(
      Array.isArray(tree)
        ? await snapshotted(lab, request, saved, await lab.snapshots.save(tree))
        : await replicateOf(lab, tree, { description: request.description, levels: tree.levels }),
    );
  }
  return { base: saved, runs };
}

async function snapshotted(
  lab: Lab,
  request: ExperimentRequest,
  base: Snapshot,
  snapshot: Snapshot,
): Promise<SnapshottedRequest> {
  const identity = await identityOf(lab.snapshots, snapshot);
  const isBaseline = identity === (await identityOf(lab.snapshots, base));
  return { request, base, snapshot, identity, isBaseline, sameAs: null };
}

/** One more run of an experiment: its files and what made them, whatever the project holds by now. */
export async function replicateOf(
  lab: Lab,
  original: Experiment,
  { description, levels }: Pick<ExperimentRequest, 'description' | 'levels'> = original,
): Promise<SnapshottedRequest> {
  const { id, overrides, edits, workdir, isBaseline } = original;
  const [base, snapshot] = [await lab.snapshots.load(original.base), await lab.snapshots.load(original.snapshot)];
  return {
    request: { description, overrides, edits, workdir, replicateOf: id, levels },
    base,
    snapshot,
    identity: original.identity ?? (await identityOf(lab.snapshots, snapshot)),
    isBaseline,
    sameAs: null,
  };
}

function originalOf(request: ExperimentRequest, earlier: readonly Experiment[]): Experiment {
  const original = earlier.find(({ id }) => id === request.replicateOf);
  if (original?.imported) {
    throw new AutoresearchError(
      'invalid_input',
      `${original.id} was read from a results.tsv: its code is not known.`,
      'Say with overrides or edits what it was, as an experiment of its own.',
    );
  }
  const changes = Object.keys(request.overrides).length + request.edits.length + (request.workdir === null ? 0 : 1);
  if (original && changes === 0) return original;
  throw new AutoresearchError(
    original ? 'invalid_input' : 'not_found',
    original
      ? `A replicate of ${original.id} runs exactly its code, and this one asks for changes.`
      : `There is no experiment ${request.replicateOf}.`,
    original ? 'Leave out overrides, edits and workdir, or replicate_of.' : 'Call campaign_status for the experiments.',
  );
}

async function changedFiles(lab: Lab, base: readonly SourceFile[], request: ExperimentRequest): Promise<SourceFile[]> {
  const files = new Map(base.map((file) => [file.path, file]));
  const write = (path: string, text: string) => {
    const old = files.get(path);
    if (old) files.set(path, { ...old, content: Buffer.from(text) });
  };
  if (request.workdir !== null) {
    for (const file of await filesOfWorkdir(lab, request.workdir)) {
      if (files.get(file.path)?.content.equals(file.content)) continue;
      assertEditable(lab, file.path, files);
      files.set(file.path, file);
    }
  }
  for (const edit of request.edits) {
    const file = files.get(edit.file);
    assertEditable(lab, edit.file, files);
    write(edit.file, applyEdit(file?.content.toString() ?? '', edit));
  }
  for (const [path, overrides] of Object.entries(overridesByFile(lab, files, request))) {
    write(path, applyOverrides(files.get(path)?.content.toString() ?? '', overrides, path));
  }
  return [...files.values()];
}

/** A constant belongs to the editable Python file that has it; one that none has goes to the first, which names its own. */
function overridesByFile(lab: Lab, files: ReadonlyMap<string, SourceFile>, { overrides }: ExperimentRequest) {
  const scripts = [...files.values()].filter(({ path }) => path.endsWith('.py') && isEditable(lab, path));
  const [first] = scripts;
  const byFile: Record<string, ExperimentRequest['overrides']> = {};
  for (const [name, value] of Object.entries(overrides)) {
    const owner =
      scripts.find(({ content }) => findConstants(content.toString()).overridable.some((c) => c.name === name)) ??
      first;
    if (!owner) {
      throw new AutoresearchError(
        'invalid_code',
        `No editable Python file holds constants: editable is ${listed(lab.project.settings.editable)}.`,
        'Name the training script in autoresearch.yaml: editable.',
      );
    }
    byFile[owner.path] = { ...byFile[owner.path], [name]: value };
  }
  return byFile;
}

function assertEditable(lab: Lab, path: string, files: ReadonlyMap<string, SourceFile>): void {
  if (isEditable(lab, path) && (files.has(path) || !path.split('/').includes('..'))) return;
  throw new AutoresearchError(
    'invalid_code',
    files.has(path) ? `${path} must not be changed.` : `${path} is no editable file of the project.`,
    `Editable: ${listed(lab.project.settings.editable)} (autoresearch.yaml: editable).`,
  );
}

async function filesOfWorkdir(lab: Lab, workdir: string): Promise<SourceFile[]> {
  const folder = resolve(lab.project.directory, workdir);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new AutoresearchError(
      'invalid_input',
      `workdir ${workdir} is no folder.`,
      'Give a folder inside the project.',
    );
  }
  if (!realpathSync(folder).startsWith(realpathSync(lab.project.directory) + sep)) {
    throw new AutoresearchError(
      'invalid_input',
      `workdir ${workdir} is not inside the project.`,
      `Make the copy below ${resolve(lab.project.directory, '.autoresearch', 'workdirs')}, which no snapshot includes.`,
    );
  }
  return readProjectFiles(folder, { ownRules: true });
}

async function syntaxProblems(
  lab: Lab,
  base: readonly SourceFile[],
  trees: readonly SourceFile[][],
): Promise<string[]> {
  const known = new Set(base.map(({ content }) => content));
  const scripts = new Map<string, { path: string; content: string }>();
  for (const { path, content } of [...base, ...trees.flat()]) {
    if (!path.endsWith('.py') || (known.has(content) && !isEditable(lab, path))) continue;
    scripts.set(`${path}\n${content.toString()}`, { path, content: content.toString() });
  }
  const problems = await lab.checker.check([...scripts.values()]);
  return (problems ?? []).map(({ message }) => `Python says: ${message}.`);
}
