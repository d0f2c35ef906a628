import { AutoresearchError } from '../errors.js';
import type { Edit, ExperimentRequest, Literal } from '../experiment.js';
import type { Factors } from './factor.js';
import { DESIGNS, type DesignName } from './index.js';
import type { Planned, Point } from './planned.js';
import { seeded, seedOf } from './seeded.js';

export interface Design {
  readonly kind: DesignName;
  readonly factors: Factors;
  /** Number of runs, for the kinds that let one choose. */
  readonly size?: number | undefined;
}

/** A design with what it asks to run: `requests[i]` is `points[i]`. */
export interface PlannedDesign extends Planned {
  readonly kind: DesignName;
  readonly requests: readonly ExperimentRequest[];
  /** Indices of the points in the order in which to run them, shuffled, so that no factor follows the clock. */
  readonly runOrder: readonly number[];
}

/**
 * The points of a design, and what it can tell apart.
 * @param seed of what is left to chance; by default the design's own, so that one asked for twice is the same twice
 * @throws invalid_input
 */
export function planDesign(design: Design, seed: number = seedOf(JSON.stringify(design))): PlannedDesign {
  const { kind, factors, size } = design;
  if (Object.keys(factors).length === 0) {
    throw new AutoresearchError(
      'invalid_input',
      'The design has no factors.',
      'Name at least one: {"factors": {"MATRIX_LR": [0.03, 0.05]}}.',
    );
  }
  const chosen = DESIGNS.find(({ name }) => name === kind);
  if (!chosen) throw new AutoresearchError('invalid_input', `There is no design ${kind}.`, 'Take full_factorial.');
  const planned = chosen.plan(factors, { size: size ?? null, seed });
  return {
    ...planned,
    kind,
    requests: planned.points.map((point) => requestAt(point, factors)),
    runOrder: seeded(seed).shuffled(planned.points.map((_, index) => index)),
  };
}

interface Expanded {
  readonly kind: 'list' | DesignName;
  /** Levels of each factor by label, in order; empty for a list. */
  readonly factors: Record<string, Literal[]>;
  readonly requests: readonly ExperimentRequest[];
  /** What the design answers beside its runs; null for a list. */
  readonly planned: PlannedDesign | null;
}

/** The list as it is, or the points of a design. @throws invalid_input when it is both, neither, or has no points */
export function expandDesign(list: readonly ExperimentRequest[] | undefined, design: Design | undefined): Expanded {
  if (list && !design) {
    if (list.length > 0) return { kind: 'list', factors: {}, requests: list, planned: null };
    throw new AutoresearchError('invalid_input', 'experiments is empty.', 'Give at least one: {"description": "…"}.');
  }
  if (!design || list) {
    throw new AutoresearchError('invalid_input', 'A wave is a list or a design.', 'Give either experiments or design.');
  }
  const planned = planDesign(design);
  const factors = Object.fromEntries(Object.entries(planned.levels).map(([name, levels]) => [name, [...levels]]));
  return { kind: planned.kind, factors, requests: planned.requests, planned };
}

function requestAt(levels: Point, factors: Factors): ExperimentRequest {
  const overrides: Record<string, Literal> = {};
  const edits: Edit[] = [];
  for (const [name, level] of Object.entries(levels)) {
    const factor = factors[name];
    if (factor && 'levels' in factor) {
      Object.assign(overrides, factor.levels[String(level)]?.overrides);
      edits.push(...(factor.levels[String(level)]?.edits ?? []));
    } else overrides[name] = level;
  }
  const description = Object.entries(levels)
    .map(([name, level]) => `${name}=${typeof level === 'string' ? level : JSON.stringify(level)}`)
    .join(' ');
  return { description, overrides, edits, workdir: null, replicateOf: null, levels };
}
