import { AutoresearchError } from '../errors.js';
import type { Literal } from '../experiment.js';
import type { Factors, Levels } from './factor.js';

/** A level of each factor that a run sets; a factor that is not there is left as it is. */
export type Point = Readonly<Record<string, Literal>>;

/** What a design answers before anything runs. Interactions are written `A×B`. */
export interface Planned {
  /** In standard order, the last factor changing fastest where all are crossed. */
  readonly points: readonly Point[];
  readonly levels: Levels;
  /** `D = A×B×C`: how the columns of a fraction are made; empty for other designs. */
  readonly generators: readonly string[];
  /** `I = A×B×C×D`, every word of it; null where nothing is confounded, or only in part. */
  readonly definingRelation: string | null;
  /** Length of its shortest word; null for what is no regular fraction. */
  readonly resolution: number | null;
  /** `A = B×C×D`: what one estimate stands for; empty when every effect stands alone. */
  readonly aliases: readonly string[];
  /** One or two sentences: what can and what cannot be told apart. */
  readonly separates: string;
}

export interface Ask {
  /** Number of runs that was asked for; null: the design's own choice. */
  readonly size: number | null;
  readonly seed: number;
}

/** A design is one value: its file, and its line in index.ts. */
export interface DesignKind<Name extends string> {
  readonly name: Name;
  /** @throws invalid_input when the factors or the size do not fit, saying what would */
  plan(factors: Factors, ask: Ask): Planned;
}

/** A wave's runs are read together by one agent; more than this no table shows. */
export const MOST_POINTS = 64;

export function assertFewEnough(count: number): void {
  if (count <= MOST_POINTS) return;
  throw new AutoresearchError(
    'invalid_input',
    `The design has ${count} points.`,
    `Take fewer factors or levels, or a fraction: at most ${MOST_POINTS} points.`,
  );
}

/** For designs whose size follows from the factors. */
export function assertOwnSize(kind: string, count: number, { size }: Ask): void {
  if (size === null || size === count) return;
  throw new AutoresearchError(
    'invalid_input',
    `A ${kind} of these factors has ${count} points; size is ${size}.`,
    'Leave size out, or choose fractional_factorial or latin_hypercube, which have one.',
  );
}

/** What every design has that confounds nothing. */
export const UNCONFOUNDED = { generators: [], definingRelation: null, resolution: null, aliases: [] } as const;
