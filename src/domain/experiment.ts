import { z } from 'zod';
import { Decision } from './decision.js';
import { ClusterId, ExperimentId, SnapshotHash, WaveId } from './ids.js';

/**
 * planned: stored, not yet in a cluster's queue. queued, running: the cluster has it. The rest are final; `lost` when its
 * cluster died twice under it, `refused` when the hash that its job reported is not the experiment's.
 */
export const EXPERIMENT_STATES = [
  'planned',
  'queued',
  'running',
  'done',
  'crashed',
  'timed_out',
  'cancelled',
  'lost',
  'refused',
] as const;
export type ExperimentState = (typeof EXPERIMENT_STATES)[number];

const OPEN_STATES: readonly ExperimentState[] = ['planned', 'queued', 'running'];
export const isSettled = (state: ExperimentState): boolean => !OPEN_STATES.includes(state);

export const CRASH_CAUSES = [
  'out_of_memory',
  'nan',
  'metric_not_a_number',
  'no_result',
  'missing_command',
  'setup_failed',
  'timeout',
  'error',
] as const;
export type CrashCause = (typeof CRASH_CAUSES)[number];

/** A level of a factor or the value of a constant, as JSON has it. */
export const Literal = z.custom<z.core.util.JSONType>(
  isJson,
  'Expected a number, a string, true, false, null or a list',
);
export type Literal = z.infer<typeof Literal>;

/** Hand-made, because z.json() describes itself by a recursive union, which some clients of the tools cannot read. */
function isJson(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'object' && Object.values(value).every(isJson);
}

export const Edit = z.strictObject({
  file: z.string().min(1).describe('Path in the project, e.g. train.py.'),
  find: z.string().min(1).describe('Text that stands there exactly once.'),
  replace: z.string().describe('What stands there instead.'),
});
export type Edit = z.infer<typeof Edit>;

/** What an agent asks to run: the base code plus any of these. */
export interface ExperimentRequest {
  readonly description: string;
  readonly overrides: Readonly<Record<string, Literal>>;
  readonly edits: readonly Edit[];
  readonly workdir: string | null;
  readonly replicateOf: ExperimentId | null;
  /** Level of each factor, where a design made it; what analyses group by. */
  readonly levels: Readonly<Record<string, Literal>>;
}

export const Crash = z.strictObject({
  cause: z.enum(CRASH_CAUSES),
  /** One line, ours or quoted from the job's log. */
  message: z.string(),
  /** The log's last lines, as the job printed them: untrusted. */
  tail: z.string(),
});
export type Crash = z.infer<typeof Crash>;

const Milliseconds = z.number().int().nonnegative();

export const Experiment = z.strictObject({
  id: ExperimentId,
  waveId: WaveId,
  campaign: z.string(),
  description: z.string(),
  overrides: z.record(z.string(), Literal),
  edits: z.array(Edit),
  workdir: z.string().nullable(),
  levels: z.record(z.string(), Literal),
  replicateOf: ExperimentId.nullable(),
  /** True for the unchanged base. */
  isBaseline: z.boolean(),
  /** A replicate of the incumbent that measures the noise and the hardware of its wave. */
  isSentinel: z.boolean().default(false),
  snapshot: SnapshotHash,
  /** Equal where two snapshots run the same code, comments and spaces aside; null: from before it was recorded. */
  identity: z.string().nullable().default(null),
  base: SnapshotHash,
  state: z.enum(EXPERIMENT_STATES),
  /** Why it is not where one would expect it; null when there is nothing to say. */
  note: z.string().nullable(),
  cluster: ClusterId.nullable(),
  jobId: z.string().nullable(),
  /** It is to be taken out of the first one's queue, for the second has nothing to do; null again once it was. */
  move: z.strictObject({ from: ClusterId, to: ClusterId }).nullable().default(null),
  /** Part of the job's name: one more each time that it goes to another cluster. */
  attempt: z.number().int().min(1),
  /** How often a cluster was lost under it, or refused it. */
  losses: z.number().int().nonnegative().default(0),
  /** Printed by our wrapper before the code's hash; a line without it is the job's own words. */
  nonce: z.string(),
  plannedAt: Milliseconds,
  queuedAt: Milliseconds.nullable(),
  startedAt: Milliseconds.nullable(),
  endedAt: Milliseconds.nullable(),
  /** When the store learnt that it had ended: what is news since when. */
  settledAt: Milliseconds.nullable(),
  /** What it really ran on. */
  accelerators: z.string().nullable(),
  hardware: z.string().nullable(),
  pricePerHourUsd: z.number().nullable(),
  exitCode: z.number().int().nullable(),
  /** null: no result, never 0. */
  metrics: z.record(z.string(), z.number()).nullable(),
  facts: z.record(z.string(), z.string()),
  /** `Model config: {…}` as printed. */
  modelConfig: z.string().nullable(),
  crash: Crash.nullable(),
  decision: Decision.nullable().default(null),
  /** Read from a `results.tsv`: `snapshot` and `base` are marks of its own, and no code is known by them. */
  imported: z.boolean().default(false),
});
export type Experiment = z.infer<typeof Experiment>;

/** The job's name in every backend: a restarted server finds its jobs by it. */
export const jobName = ({ id, attempt }: Pick<Experiment, 'id' | 'attempt'>): string =>
  attempt === 1 ? id : `${id}-attempt-${attempt}`;

/** The value of the campaign's metric; null where there is no result. */
export function metricOf(experiment: Pick<Experiment, 'state' | 'metrics'>, metric: string): number | null {
  return experiment.state === 'done' ? (experiment.metrics?.[metric] ?? null) : null;
}
