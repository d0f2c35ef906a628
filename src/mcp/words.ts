import { z } from 'zod';
import { VERDICTS } from '../domain/analysis/verdict.js';
import { decisionWords, kindOf } from '../domain/decision.js';
import { AutoresearchError } from '../domain/errors.js';
import { Edit, type ExperimentRequest, Literal } from '../domain/experiment.js';
import { ExperimentId } from '../domain/ids.js';
import { Accelerators } from '../domain/project.js';
import type { Standing } from '../domain/standing.js';
import { listed, nearestFirst } from '../domain/suggest.js';

/** The words of an experiment to run, as every launching tool takes them. */
export const ExperimentInput = z.strictObject({
  description: z.string().min(1).max(200).describe('One line: what is tried, and why.'),
  overrides: z
    .record(z.string(), Literal)
    .optional()
    .describe('Constants of train.py by name: {"MATRIX_LR": 0.05, "TOTAL_BATCH_SIZE": "2**18"}.'),
  edits: z.array(Edit).optional().describe('Replacements in editable files; each must match once.'),
  workdir: z.string().optional().describe('A copy of the project, inside it, that you edited.'),
  replicate_of: ExperimentId.optional().describe('Run exactly this experiment once more.'),
});

export const requestOf = (input: z.output<typeof ExperimentInput>): ExperimentRequest => ({
  description: input.description,
  overrides: input.overrides ?? {},
  edits: input.edits ?? [],
  workdir: input.workdir ?? null,
  replicateOf: input.replicate_of ?? null,
  levels: {},
});

/** A string in the JSON Schema, for clients drop tools over a union; a list or SkyPilot's mapping is taken as well. */
export const AcceleratorsInput = z
  .custom<z.input<typeof Accelerators>>(
    (value) => Accelerators.safeParse(value).success,
    'Expected accelerators such as "H100:1" or "H100:1,H200:1"',
  )
  .optional()
  .meta({ type: 'string', description: 'E.g. "H100:1", or several of which any will do: "H100:1,H200:1".' });

/** What a run may be placed on: what was asked for, else the tier's; empty: whatever there is. */
export function wantedAccelerators(
  tiers: Readonly<Record<string, readonly string[]>>,
  { accelerators, tier }: { accelerators?: z.input<typeof Accelerators> | undefined; tier?: string | undefined },
): readonly string[] {
  if (accelerators !== undefined) return Accelerators.parse(accelerators);
  if (tier === undefined) return [];
  const found = tiers[tier];
  if (found) return found;
  const names = nearestFirst(tier, Object.keys(tiers));
  throw new AutoresearchError(
    'invalid_input',
    `There is no tier ${tier}.`,
    `Tiers of autoresearch.yaml: ${listed(names)}.`,
  );
}

/** An experiment with its result, as every answering tool writes it. */
export const ExperimentRow = z.strictObject({
  experiment_id: z.string(),
  description: z.string(),
  state: z.string(),
  metrics: z.record(z.string(), z.number()).nullable(),
  delta: z.number().optional().describe('Against the incumbent.'),
  verdict: z.enum(VERDICTS).nullable().describe('null: no noise floor to judge by yet.'),
  p_better: z.number().optional(),
  n: z.number().optional().describe('Runs of the configuration.'),
  df: z.number().optional(),
  crash: z
    .strictObject({ cause: z.string(), message: z.string(), tail: z.string() })
    .optional()
    .describe('tail: the job’s own last words.'),
  note: z.string().optional(),
  decision: z.string().optional(),
});

/** Six digits behind the point, as train.py prints; more would be noise that costs tokens. */
export const rounded = (value: number): number => Number(value.toFixed(6));

/** A spread or a difference, to so many digits that count. */
export const significant = (value: number, digits = 3): number => Number(value.toPrecision(digits));

/** Money to a tenth of a cent: a run of some seconds costs no less. */
export const cents = (usd: number): number => Number(usd.toFixed(3));

export function rowOf(
  { experiment, delta, verdict, pBetter, n, df }: Standing,
  metric: string,
  detail: 'brief' | 'full',
) {
  const { id, description, state, metrics, crash, note, decision } = experiment;
  const value = metrics?.[metric];
  const brief = value === undefined ? null : { [metric]: rounded(value) };
  const lines = detail === 'full' ? 20 : 3;
  return {
    experiment_id: id,
    description,
    state,
    metrics: detail === 'full' ? metrics : brief,
    ...(delta === null ? {} : { delta: rounded(delta) }),
    verdict,
    ...(pBetter === null ? {} : { p_better: believed(pBetter) }),
    ...(n === null ? {} : { n }),
    ...(df === null ? {} : { df: Math.round(df) }),
    ...(crash === null ? {} : { crash: { ...crash, tail: lastLines(crash.tail, lines) } }),
    ...(note === null ? {} : { note }),
    ...(decision === null ? {} : { decision: detail === 'full' ? decisionWords(decision) : kindOf(decision) }),
  };
}

const lastLines = (text: string, count: number): string =>
  text
    .split('\n')
    .slice(-count)
    .map((line) => line.slice(0, 300))
    .join('\n');

/** A probability to three digits; never 0 or 1, which no data shows. */
export const believed = (p: number): number => Math.min(0.999, Math.max(0.001, Number(p.toFixed(3))));

export const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(5)}`;

/** `exp-0001…exp-0008`, or a list where they do not follow each other. */
export function idRange(ids: readonly string[]): string {
  const [first, last] = [ids[0], ids.at(-1)];
  const span = Number(last?.split('-')[1]) - Number(first?.split('-')[1]) + 1;
  return ids.length > 2 && span === ids.length ? `${first}…${last}` : ids.join(', ');
}

export const minutes = (seconds: number): string =>
  seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
