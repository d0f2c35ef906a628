import { z } from 'zod';
import { Metric } from './campaign.js';

const positiveInteger = z.number().int().min(1);

/** `H100:1`, `{H100: 1, H200: 1}` or a list, as SkyPilot writes accelerators; here always a list of `NAME:count`. */
export const Accelerators = z
  .union([z.string(), z.array(z.string()), z.record(z.string(), z.number().nullable())])
  .transform((value) => {
    if (typeof value === 'string') return value.split(',').map(withCount);
    return Array.isArray(value)
      ? value.map(withCount)
      : Object.entries(value).map(([name, count]) => `${name}:${count ?? 1}`);
  });

function withCount(text: string): string {
  const name = text.trim();
  return name.includes(':') ? name : `${name}:1`;
}

/** `autoresearch.yaml`; every field has a default that fits karpathy/autoresearch. */
export const ProjectFile = z.strictObject({
  campaign: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'Expected lower-case letters, digits and dashes, at most 40')
    .optional(),
  metric: z.preprocess(
    (value) => (typeof value === 'object' && value !== null ? { name: 'val_bpb', goal: 'minimize', ...value } : value),
    Metric.default({ name: 'val_bpb', goal: 'minimize' }),
  ),
  task: z.string().default('experiment.yaml'),
  editable: z.array(z.string().min(1)).min(1).default(['train.py']),
  backend: z.string().default('local'),
  infra: z.string().nullable().default(null),
  tiers: z.record(z.string(), Accelerators).default({ screen: ['H100:1'], validate: ['H200:1'] }),
  limits: z
    .strictObject({
      max_clusters: positiveInteger.default(16),
      max_experiments: positiveInteger.nullable().default(null),
      job_timeout_minutes: z.number().positive().default(10),
    })
    .prefault({}),
  idle_minutes: z.number().positive().default(10),
  local: z
    .strictObject({
      slots: positiveInteger.nullable().default(null),
    })
    .prefault({}),
});
export type ProjectFile = z.infer<typeof ProjectFile>;

/** The parts of a SkyPilot task that we read; the rest goes to the backend as it is. */
export const TaskFile = z.looseObject({
  resources: z.looseObject({ accelerators: Accelerators.nullish() }).nullish(),
  workdir: z.string().nullish(),
  envs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).nullish(),
  setup: z.string().nullish(),
  run: z.string().min(1),
});
export type TaskFile = z.infer<typeof TaskFile>;

/** A project folder with its settings read. */
export interface Project {
  readonly directory: string;
  readonly settings: ProjectFile;
  readonly campaign: string;
}
