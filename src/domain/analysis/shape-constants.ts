import type { Experiment, Literal } from '../experiment.js';

/** A run as far as its code and what it printed of its model go. */
export type ModelRun = Pick<Experiment, 'id' | 'base' | 'edits' | 'workdir' | 'overrides' | 'modelConfig'>;

/** What is to be run: as above, before it has an id or has printed anything. */
export type PlannedModel = Pick<Experiment, 'base' | 'edits' | 'workdir' | 'overrides'>;

type Overrides = Readonly<Record<string, Literal>>;

/**
 * Equal where two runs differ in overridden constants only; null for a folder that an agent edited, of which the path says
 * nothing.
 */
export const codeOf = ({ base, edits, workdir }: PlannedModel): string | null =>
  workdir === null ? JSON.stringify([base, edits.map(({ file, find, replace }) => [file, find, replace])]) : null;

/** Equal where two runs are of one code and have the same values of all constants but those `without`. */
export const keyOf = (run: PlannedModel, without: readonly string[] = []): string =>
  JSON.stringify([
    codeOf(run),
    Object.entries(run.overrides)
      .filter(([name]) => !without.includes(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);

/** Constants whose values differ; one that only one of the two overrides counts, as the base's own value is not known. */
export const differing = (a: Overrides, b: Overrides): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => !isEqual(a[name], b[name]));

const isEqual = (a: Literal | undefined, b: Literal | undefined): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

/**
 * One run of each configuration that printed its model, by `keyOf`. Where two runs of one configuration printed different
 * ones, something else than constants stands in `Model config`, and it says nothing.
 */
export function knownModels(runs: readonly ModelRun[]): ReadonlyMap<string, ModelRun> {
  const known = new Map<string, ModelRun>();
  const contradicted = new Set<string>();
  for (const run of runs) {
    if (codeOf(run) === null || run.modelConfig === null) continue;
    const key = keyOf(run);
    const before = known.get(key);
    if (before && before.modelConfig !== run.modelConfig) contradicted.add(key);
    if (!before) known.set(key, run);
  }
  for (const key of contradicted) known.delete(key);
  return known;
}

/** Sets of two runs or more that differ in this constant alone. */
export function familiesOf(constant: string, known: ReadonlyMap<string, ModelRun>): ModelRun[][] {
  const families = new Map<string, ModelRun[]>();
  for (const run of known.values()) {
    const key = keyOf(run, [constant]);
    const family = families.get(key);
    if (family) family.push(run);
    else families.set(key, [run]);
  }
  return [...families.values()].filter(({ length }) => length > 1);
}

/** Constants that shape the model: two runs that differ in that one alone printed different `Model config`s. */
export function shapeConstants(known: ReadonlyMap<string, ModelRun>): ReadonlySet<string> {
  const names = new Set([...known.values()].flatMap(({ overrides }) => Object.keys(overrides)));
  const shapes = (name: string) =>
    familiesOf(name, known).some((family) => new Set(family.map(({ modelConfig }) => modelConfig)).size > 1);
  return new Set([...names].filter(shapes));
}
