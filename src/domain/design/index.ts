import { AutoresearchError } from '../errors.js';
import type { Edit, ExperimentRequest, Literal } from '../experiment.js';
import type { Wave } from '../wave.js';
import { fullFactorial } from './full-factorial.js';

/** What a level changes: a constant, or whatever its label stands for. */
export interface LabelledLevel {
  readonly overrides?: Readonly<Record<string, Literal>> | undefined;
  readonly edits?: readonly Edit[] | undefined;
}
export type Factor = readonly Literal[] | { readonly levels: Readonly<Record<string, LabelledLevel>> };

export interface Design {
  readonly kind: keyof typeof DESIGNS;
  readonly factors: Readonly<Record<string, Factor>>;
}

/** How each kind chooses its points from the levels. */
export const DESIGNS = {
  full_factorial: fullFactorial,
} as const;
export const DESIGN_NAMES = ['full_factorial'] as const satisfies readonly (keyof typeof DESIGNS)[];

/** A wave's runs are read together by one agent; more than this no table shows. */
const MOST_POINTS = 64;

interface Expanded {
  readonly kind: Wave['kind'];
  readonly factors: Wave['factors'];
  readonly requests: readonly ExperimentRequest[];
}

/** The list as it is, or the points of a design. @throws invalid_input when it is both, neither, or has no points */
export function expandDesign(list: readonly ExperimentRequest[] | undefined, design: Design | undefined): Expanded {
  if ((list === undefined) === (design === undefined)) {
    throw new AutoresearchError('invalid_input', 'A wave is a list or a design.', 'Give either experiments or design.');
  }
  if (list) {
    if (list.length > 0) return { kind: 'list', factors: {}, requests: list };
    throw new AutoresearchError('invalid_input', 'experiments is empty.', 'Give at least one: {"description": "…"}.');
  }
  const factors = Object.fromEntries(
    Object.entries(design?.factors ?? {}).map(([name, factor]) => [name, labelsOf(factor)]),
  );
  const empty = Object.keys(factors).filter((name) => (factors[name] ?? []).length < 2);
  const count = Object.values(factors).reduce((product, levels) => product * levels.length, 1);
  if (Object.keys(factors).length === 0 || empty.length > 0 || count > MOST_POINTS) {
    throw new AutoresearchError(
      'invalid_input',
      count > MOST_POINTS
        ? `The design has ${count} points.`
        : `Factors need two levels or more: ${empty.join(', ') || 'none given'}.`,
      count > MOST_POINTS
        ? `Take fewer factors or levels: at most ${MOST_POINTS} points.`
        : 'E.g. {"MATRIX_LR": [0.03, 0.05]}.',
    );
  }
  const points = DESIGNS[design?.kind ?? 'full_factorial'](factors);
  return {
    kind: design?.kind ?? 'full_factorial',
    factors,
    requests: points.map((levels) => requestAt(levels, design?.factors ?? {})),
  };
}

const isList = (factor: Factor): factor is readonly Literal[] => Array.isArray(factor);

const labelsOf = (factor: Factor): Literal[] => (isList(factor) ? [...factor] : Object.keys(factor.levels));

function requestAt(levels: Record<string, Literal>, factors: Readonly<Record<string, Factor>>): ExperimentRequest {
  const overrides: Record<string, Literal> = {};
  const edits: Edit[] = [];
  for (const [name, level] of Object.entries(levels)) {
    const factor = factors[name];
    if (!factor || isList(factor)) overrides[name] = level;
    else {
      Object.assign(overrides, factor.levels[String(level)]?.overrides);
      edits.push(...(factor.levels[String(level)]?.edits ?? []));
    }
  }
  const description = Object.entries(levels)
    .map(([name, level]) => `${name}=${typeof level === 'string' ? level : JSON.stringify(level)}`)
    .join(' ');
  return { description, overrides, edits, workdir: null, replicateOf: null, levels };
}
