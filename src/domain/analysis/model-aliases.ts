import type { ExperimentId } from '../ids.js';
import { levelLabel } from './main-effects.js';
import {
  codeOf,
  differing,
  familiesOf,
  keyOf,
  knownModels,
  type ModelRun,
  type PlannedModel,
  shapeConstants,
} from './shape-constants.js';

/** Levels of one constant that gave the same model. */
export interface AliasedLevels {
  readonly constant: string;
  /** As they are written, in order; `unchanged` where the base's own value stands. */
  readonly levels: readonly string[];
  /** As it was printed: the job's words. */
  readonly modelConfig: string;
  readonly experiments: readonly ExperimentId[];
}

/**
 * Which levels of a constant are one model under two names: runs of one code that differ in it alone and printed the same
 * `Model config`, where the constant is one that shapes the model. A learning rate never is: no run with another one
 * printed another model.
 */
export function aliasedLevels(constant: string, earlier: readonly ModelRun[]): AliasedLevels[] {
  const known = knownModels(earlier);
  if (!shapeConstants(known).has(constant)) return [];
  const found = familiesOf(constant, known).flatMap((family) => {
    const models = [...new Set(family.map(({ modelConfig }) => modelConfig))];
    const groups = models.map((model) => family.filter(({ modelConfig }) => modelConfig === model));
    return groups.filter(({ length }) => length > 1).map((runs) => aliasOf(constant, runs));
  });
  // What was seen beside another learning rate too is said once.
  const once = new Map(found.map((alias) => [JSON.stringify([alias.levels, alias.modelConfig]), alias]));
  return [...once.values()].sort((a, b) => inNumberOrder(a.levels[0] ?? '', b.levels[0] ?? ''));
}

function aliasOf(constant: string, runs: readonly ModelRun[]): AliasedLevels {
  const labelled = runs
    .map(({ id, overrides }) => {
      const level = overrides[constant];
      return { id, label: level === undefined ? 'unchanged' : levelLabel(level) };
    })
    .sort((a, b) => inNumberOrder(a.label, b.label));
  return {
    constant,
    levels: labelled.map(({ label }) => label),
    modelConfig: runs[0]?.modelConfig ?? '',
    experiments: labelled.map(({ id }) => id),
  };
}

const inNumberOrder = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

export interface KnownAlias {
  /** The earlier run that the planned one would repeat. */
  readonly experiment: ExperimentId;
  /** Constants whose values differ between the two and make no difference. */
  readonly constants: readonly string[];
  /** Two runs with these two sets of values of those constants that printed the same model: what it is known from. */
  readonly shownBy: readonly [ExperimentId, ExperimentId];
}

/**
 * The earlier run that a planned configuration repeats under another name, or null where none is known. It is one when
 *
 * 1. both are of one code, and differ in constants S only, at least one;
 * 2. each constant of S shapes the model: by itself it changed `Model config` between two earlier runs;
 * 3. a witness printed what the planned run would print. Two earlier runs differ in exactly S, with the same two sets of
 *    values; the one is the earlier run, or differs from it in constants only that are not known to shape the model; all
 *    three printed the same `Model config`. So three corners of a rectangle are seen, and the fourth is inferred.
 *
 * What it takes on trust is that a constant that shapes the model does nothing else; that is why equal values are needed
 * of everything that is not known to shape it. `Model config` alone is never identity: it holds no learning rate.
 */
export function aliasedWith(planned: PlannedModel, earlier: readonly ModelRun[]): KnownAlias | null {
  const code = codeOf(planned);
  if (code === null) return null;
  const known = knownModels(earlier.filter((run) => codeOf(run) === code));
  const shaping = shapeConstants(known);
  const isOneModel = (a: PlannedModel, b: PlannedModel) =>
    differing(a.overrides, b.overrides).every((name) => !shaping.has(name));
  const would = [...known.values()].filter((run) => isOneModel(run, planned));
  for (const run of known.values()) {
    const constants = differing(planned.overrides, run.overrides);
    if (constants.length === 0 || !constants.every((name) => shaping.has(name))) continue;
    for (const witness of would) {
      const like = known.get(keyOf({ ...witness, overrides: withValues(witness, run, constants) }));
      if (like && like.modelConfig === run.modelConfig && witness.modelConfig === run.modelConfig) {
        return { experiment: run.id, constants, shownBy: [like.id, witness.id] };
      }
    }
  }
  return null;
}

/** The overrides of `witness` with the values that `run` has of these constants, or lacks. */
function withValues(witness: ModelRun, run: ModelRun, constants: readonly string[]): ModelRun['overrides'] {
  const kept = Object.entries(witness.overrides).filter(([name]) => !constants.includes(name));
  const taken = Object.entries(run.overrides).filter(([name]) => constants.includes(name));
  return Object.fromEntries([...kept, ...taken]);
}
