import { z } from 'zod';
import { Metric } from './campaign.js';
import { byAccelerator } from './price.js';

const positiveInteger = z.number().int().min(1);

/** `H100:1`, `{H100: 1, H200: 1}` or a list, as SkyPilot writes accelerators; here always a list of `NAME:count`. */
export const Accelerators = z
  .union([z.string(), z.array(z.string()), z.record(z.string(), z.number().nullable())])
  .transform((value) => {
    if (typeof value === 'string') return value.split(',').map(withCount);
    return Array.isArray(value)
      ? value.map(withCount)
      : Object.entries(value).map(([name, count]) => `${name}:${count ?? 1}`);
  })
  .refine((list) => list.every((item) => /^[^\s:]+:\d+(?:\.\d+)?$/.test(item)), 'Expected accelerators such as H100:1');

function withCount(text: string): string {
  const name = text.trim();
  return name.includes(':') ? name : `${name}:1`;
}

/** `autoresearch.yaml`; every field has a default that fits karpathy/autoresearch. */
export const ProjectFile = z.strictObject({
  campaign: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'Expected lower-case letters, digits and dashes, at most 40')
    .optional()
    .describe('Name of the research effort; without it, made from the folder’s name.'),
  metric: z
    .preprocess(
      (value) =>
        typeof value === 'object' && value !== null ? { name: 'val_bpb', goal: 'minimize', ...value } : value,
      Metric.default({ name: 'val_bpb', goal: 'minimize' }),
    )
    .describe('What runs are judged by: a key that the script prints, and minimize or maximize.'),
  noise_prior: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'SD of equal runs on one machine, in the metric’s unit, until replicates show it; null: from earlier campaigns, if any.',
    ),
  delta_min: z
    .number()
    .nonnegative()
    .default(0)
    .describe(
      'The smallest gain worth a wave, in the metric’s unit: three waves in a row below it, or below the noise, and the advice is to stop.',
    ),
  task: z.string().default('experiment.yaml').describe('How one experiment runs: a SkyPilot task in the project.'),
  editable: z
    .array(z.string().min(1))
    .min(1)
    .default(['train.py'])
    .describe('The files that experiments may change, as .gitignore writes paths.'),
  backend: z.string().default('local').describe('Where experiments run; local is this machine.'),
  infra: z
    .string()
    .nullable()
    .default(null)
    .describe('SkyPilot’s word for where; the local backend has no use for it.'),
  tiers: z
    .record(z.string(), Accelerators)
    .default({ screen: ['H100:1'], validate: ['H200:1'] })
    .describe('Names for accelerators, for a wave’s `tier`.'),
  limits: z
    .strictObject({
      max_clusters: positiveInteger.default(16).describe('Clusters up at the same time.'),
      accelerators: byAccelerator(positiveInteger)
        .default({})
        .describe('Of these, by accelerator: {H200: 2} is two clusters with H200s, {"H200:8": 1} one with eight.'),
      max_experiments: positiveInteger.nullable().default(null).describe('In the whole campaign; null: no limit.'),
      max_cost_usd: z
        .number()
        .positive()
        .nullable()
        .default(null)
        .describe('For the whole campaign: a launch that would lead past it is refused. Every price must be known.'),
      max_cost_per_hour_usd: z
        .number()
        .positive()
        .nullable()
        .default(null)
        .describe('For all clusters at the same time: fewer are launched, or none. Every price must be known.'),
      capacity_wait_minutes: z
        .number()
        .positive()
        .default(15)
        .describe('A launch that has found no machine for so long is given up, and its runs are placed anew.'),
      job_timeout_minutes: z.number().positive().default(10).describe('A run that takes longer is ended.'),
      target: z
        .number()
        .nullable()
        .default(null)
        .describe('Value of the metric at which the campaign is done; nothing is ended, the advice is to stop.'),
      end_hopeless: z
        .boolean()
        .default(false)
        .describe(
          'Ends a run whose printed estimates (`estimate 0.25 | val_bpb: 1.234`) are clearly worse than the median of finished runs.',
        ),
    })
    .prefault({}),
  prices: byAccelerator(z.number().nonnegative())
    .default({})
    .describe(
      'USD per hour where the infra names none, as Slurm and Kubernetes: {H100: 2.0} for each GPU, {"H100:8": 15.0} for a cluster of eight.',
    ),
  idle_minutes: z
    .number()
    .positive()
    .default(10)
    .describe('Clusters with nothing to do end by themselves after so long.'),
  local: z
    .strictObject({
      slots: positiveInteger
        .nullable()
        .default(null)
        .describe('Experiments at a time on this machine; null: one a GPU, without GPUs by CPU threads.'),
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
