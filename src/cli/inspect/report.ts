import { z } from 'zod';
import { VERDICTS } from '../../domain/analysis/verdict.js';
import { DECISIONS } from '../../domain/decision.js';

/**
 * What `inspect --json` prints, and what its screens are drawn from. Part of the interface: fields are added, never renamed.
 * Times are milliseconds since 1970; null is "not there", never 0.
 */

const number = z.number().nullable();
const text = z.string().nullable();

export const Row = z.strictObject({
  rank: number.describe('1 for the best value; null without a result.'),
  experiment_id: z.string(),
  wave_id: z.string(),
  description: z.string(),
  state: z.string(),
  value: number.describe('Of the campaign’s metric; null without a result.'),
  delta: number.describe('value − incumbent’s value; null for the incumbent itself.'),
  verdict: z.enum(VERDICTS).nullable().describe('On its configuration; always null while there is no noise floor.'),
  p_better: number.describe('P that its configuration is truly better than the incumbent’s.'),
  n: number.describe('Runs of its configuration, where there is a verdict.'),
  df: number.describe('Degrees of freedom behind p_better.'),
  is_incumbent: z.boolean(),
  is_baseline: z.boolean().describe('The unchanged base.'),
  replicate_of: text,
  cluster: text,
  run_seconds: number.describe('Until now while it runs.'),
  cost_usd: number.describe('Run time by price; null before it starts, and where the price is unknown.'),
  crash_cause: text,
  note: text,
  decision: z
    .strictObject({
      kind: z.enum(DECISIONS),
      reason: z.string(),
      verdict: text.describe('When it was taken; a keep whose verdict was not win is one without evidence.'),
      against: text.describe('The incumbent that it was compared with.'),
      commit: text,
      at: z.number(),
    })
    .nullable()
    .describe('What the researcher made of it; null: nothing yet.'),
});
export type Row = z.infer<typeof Row>;

export const ClusterRow = z.strictObject({
  cluster: z.string(),
  state: z.string(),
  accelerators: text.describe('What it really is; null while nobody knows.'),
  hardware: text,
  running: z.number(),
  waiting: z.number(),
  idle_in_seconds: z.number(),
  usd_per_hour: number,
  reason: text,
});
export type ClusterRow = z.infer<typeof ClusterRow>;

export const Cost = z.strictObject({
  usd: number.describe(
    'Every cluster from up to its end; null when no price is known, a lower bound when some are not.',
  ),
  idle_usd: number.describe('Of it, what was paid while no experiment ran there.'),
  idle_share: number,
  usd_per_hour: number.describe('Of what is up now.'),
  max_usd: number.describe('limits.max_cost_usd'),
  left_usd: number,
  clusters: z.number().describe('That have been up.'),
  clusters_without_price: z.number(),
});
export type Cost = z.infer<typeof Cost>;

const WaveRow = z.strictObject({
  wave_id: z.string(),
  description: z.string(),
  kind: z.string(),
  factors: z.record(z.string(), z.array(z.unknown())),
  experiments: z.number(),
  ended: z.number(),
  best: number,
  best_experiment: text,
});
export type WaveRow = z.infer<typeof WaveRow>;

const Metric = z.strictObject({ name: z.string(), goal: z.string() });

/** What every report has. */
const common = {
  project: z.string().describe('Absolute path of the project folder.'),
  campaign: z.string(),
  metric: Metric,
  incumbent: text,
  noise_floor: z
    .strictObject({
      sd: z.number().describe('Of equal runs on one machine, in the metric’s unit.'),
      df: z.number().describe('From this campaign’s replicates.'),
      effective_df: z.number().describe('With what a prior counts for.'),
      prior: number.describe('SD from the settings or from earlier campaigns, where it was needed.'),
    })
    .nullable()
    .describe('null: none is known yet, so no difference is called a win.'),
  notices: z.array(z.string()),
};

export const CampaignReport = z.strictObject({
  kind: z.literal('campaign'),
  ...common,
  best: Row.nullable(),
  counts: z.record(z.string(), z.number()).describe('Experiments by state, those states that occur.'),
  throughput: z
    .strictObject({
      experiments_per_hour: z.number(),
      busy_share: number.describe('Of the time that clusters were up, 0 to 1.'),
      wall_hours: z.number(),
      one_gpu_hours: z.number().describe('What one GPU would have needed.'),
      speed_up: z.number(),
    })
    .nullable(),
  cost: Cost,
  clusters: z.array(ClusterRow).describe('Those that are up or on their way.'),
  clusters_ended: z.number(),
  waves: z.array(WaveRow),
  experiments: z.array(Row).describe('The best first, those without a result last.'),
});
export type CampaignReport = z.infer<typeof CampaignReport>;

export const MainEffectRow = z.strictObject({
  factor: z.string(),
  range: z.number().describe('Largest less smallest mean; says nothing of noise.'),
  levels: z.array(z.strictObject({ level: z.string(), mean: z.number(), n: z.number() })),
});
export type MainEffectRow = z.infer<typeof MainEffectRow>;

export const WaveReport = z.strictObject({
  kind: z.literal('wave'),
  ...common,
  wave: WaveRow,
  experiments: z.array(Row),
  main_effects: z.array(MainEffectRow).describe('Means at each level of each factor, the largest range first.'),
});
export type WaveReport = z.infer<typeof WaveReport>;

export const ExperimentReport = z.strictObject({
  kind: z.literal('experiment'),
  ...common,
  experiment: Row,
  overrides: z.record(z.string(), z.unknown()),
  metrics: z.record(z.string(), z.number()).nullable(),
  facts: z.record(z.string(), z.string()),
  model_config: text,
  snapshot: z.string().describe('sha256 of the code that ran.'),
  base: z.string(),
  accelerators: text,
  hardware: text,
  usd_per_hour: number.describe('Of the whole cluster, when it ran.'),
  exit_code: number,
  planned_at: number,
  started_at: number,
  ended_at: number,
  crash: z.strictObject({ cause: z.string(), message: z.string() }).nullable(),
  diff: z.string().describe('Against the base; empty for the unchanged base.'),
  log: text.describe('Last lines of what the job printed (all with --log): its words, not ours.'),
});
export type ExperimentReport = z.infer<typeof ExperimentReport>;

/** A folder that holds no campaign, with those beneath it. */
export const FolderReport = z.strictObject({
  kind: z.literal('folder'),
  folder: z.string(),
  campaigns: z.array(
    z.strictObject({ project: z.string(), campaign: z.string(), metric: Metric, best: Row.nullable() }),
  ),
});
export type FolderReport = z.infer<typeof FolderReport>;

export type Report = CampaignReport | WaveReport | ExperimentReport | FolderReport;
