import { aliasedWith } from '../domain/analysis/model-aliases.js';
import {
  codeOf,
  differing,
  knownModels,
  type PlannedModel,
  shapeConstants,
} from '../domain/analysis/shape-constants.js';
import { type Experiment, isSettled } from '../domain/experiment.js';
import type { ExperimentId } from '../domain/ids.js';
import { BASELINE } from './baseline.js';
import type { SnapshottedRequest } from './snapshot-requests.js';

/** What was asked for and was run before. */
export interface Duplicate {
  readonly description: string;
  readonly of: Experiment;
  /** Why it is the same although it says something else; null: it says the same. */
  readonly why: string | null;
}

/** What was asked for twice at once. */
export interface Twin {
  readonly description: string;
  readonly of: SnapshottedRequest;
  readonly why: string | null;
}

export interface FreshRun {
  readonly run: SnapshottedRequest;
  readonly replicateOf: ExperimentId | null;
  readonly isSentinel: boolean;
}

export interface Parted {
  readonly fresh: readonly FreshRun[];
  readonly duplicates: readonly Duplicate[];
  readonly twins: readonly Twin[];
}

interface Rules {
  /** A point of a design that is its code runs once more, as its sentinel; null: nothing does. */
  readonly mayRepeat: Experiment | null;
}

/**
 * A configuration that ran to its end, or is about to, is never run again unasked: neither the same code, comments and
 * spaces aside, nor the same model under another name. One that was lost or cancelled is.
 */
export function apartFromDuplicates(
  runs: readonly SnapshottedRequest[],
  earlier: readonly Experiment[],
  { mayRepeat }: Rules,
): Parted {
  const answers = earlier.filter(({ state }) => !isSettled(state) || state === 'done' || state === 'crashed');
  const fresh: FreshRun[] = [];
  const duplicates: Duplicate[] = [];
  const twins: Twin[] = [];
  for (const run of runs) {
    const { request } = run;
    const { description } = request;
    if (request.replicateOf !== null) {
      fresh.push({ run, replicateOf: request.replicateOf, isSentinel: false });
      continue;
    }
    const isSentinel = mayRepeat !== null && isSameCode(mayRepeat, run);
    const before = request === BASELINE || isSentinel ? null : answerTo(run, answers);
    const twin = fresh.find(({ run: other }) => other.request.replicateOf === null && other.identity === run.identity);
    if (before) duplicates.push({ description, ...before });
    else if (twin?.run.request === BASELINE) fresh.splice(fresh.indexOf(twin), 1, { ...twin, run });
    else if (twin) twins.push({ description, of: twin.run, why: run.sameAs });
    else {
      const alias = aliasAmong(run, fresh, answers);
      if (alias) twins.push({ description, ...alias });
      else fresh.push({ run, replicateOf: isSentinel ? mayRepeat.id : null, isSentinel });
    }
  }
  return { fresh, duplicates, twins };
}

/** By the files too: of old experiments no identity was recorded. */
export const isSameCode = (
  experiment: Experiment,
  { snapshot, identity }: Pick<SnapshottedRequest, 'snapshot' | 'identity'>,
): boolean => experiment.snapshot === snapshot.hash || experiment.identity === identity;

/** The newest with a result, else the newest. */
function answerTo(run: SnapshottedRequest, answers: readonly Experiment[]): Omit<Duplicate, 'description'> | null {
  const same = answers.filter((known) => isSameCode(known, run));
  const of = same.findLast(({ state }) => state === 'done') ?? same.at(-1);
  if (of) return { of, why: run.sameAs };
  const alias = aliasedWith(modelOf(run), answers);
  const repeated = answers.find(({ id }) => id === alias?.experiment);
  return alias && repeated ? { of: repeated, why: whySame(alias.constants, alias.shownBy) } : null;
}

/** What earlier runs show of two that are both still to be run: that they would print the same model. */
function aliasAmong(run: SnapshottedRequest, fresh: readonly FreshRun[], answers: readonly Experiment[]) {
  const planned = modelOf(run);
  const would = wouldPrint(planned, answers);
  if (would === null) return null;
  for (const { run: other } of fresh) {
    const model = modelOf(other);
    if (other.request.replicateOf !== null || codeOf(model) !== codeOf(planned)) continue;
    const constants = differing(model.overrides, planned.overrides);
    if (constants.length === 0 || !constants.every((name) => would.shaping.has(name))) continue;
    const like = wouldPrint(model, answers);
    if (like?.shown.modelConfig === would.shown.modelConfig) {
      return { of: other, why: whySame(constants, [like.shown.id, would.shown.id]) };
    }
  }
  return null;
}

/** The earlier run that differs in nothing that is known to shape the model. */
function wouldPrint(planned: PlannedModel, answers: readonly Experiment[]) {
  const code = codeOf(planned);
  if (code === null) return null;
  const known = knownModels(answers.filter((run) => codeOf(run) === code));
  const shaping = shapeConstants(known);
  const isLike = (overrides: PlannedModel['overrides']) =>
    differing(overrides, planned.overrides).every((name) => !shaping.has(name));
  const shown = [...known.values()].find(({ overrides }) => isLike(overrides));
  return shown ? { shown, shaping } : null;
}

export const modelOf = ({ request, base }: SnapshottedRequest): PlannedModel => ({
  base: base.hash,
  edits: [...request.edits],
  workdir: request.workdir,
  overrides: { ...request.overrides },
});

const whySame = (constants: readonly string[], [a, b]: readonly [ExperimentId, ExperimentId]): string =>
  `another ${constants.join(', ')} is the same model: ${a} and ${b} printed one Model config`;
