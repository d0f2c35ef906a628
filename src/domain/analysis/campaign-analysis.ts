import type { FleetCluster, Metric } from '../campaign.js';
import type { Experiment } from '../experiment.js';
import type { ExperimentId } from '../ids.js';
import { adjustedValues, type BlockedFit, type ConfigEstimate } from './adjusted-values.js';
import { type NoiseFloor, noiseFloor, PRIOR_DF } from './noise-floor.js';
import { type BlockedObservation, blocksOfFleet, observationsOf } from './observations.js';
import { shrunkenValues } from './selection.js';
import { type Judgement, judge } from './verdict.js';

/** What a campaign's runs are judged from. */
export interface CampaignRuns {
  readonly experiments: readonly Experiment[];
  readonly fleet: readonly Pick<FleetCluster, 'id' | 'launchedAt'>[];
  readonly metric: Metric;
  readonly incumbent: ExperimentId | null;
}

export interface JudgedConfig {
  readonly estimate: ConfigEstimate;
  /** Empirical-Bayes value, which undoes what picking the best adds; null where standard errors are not known. */
  readonly shrunk: number | null;
  /** Against the incumbent's configuration; null for that itself, and without one. */
  readonly judgement: Judgement | null;
  /** Its runs with a result, the earliest first. */
  readonly experiments: readonly string[];
}

export interface CampaignAnalysis {
  readonly metric: Metric;
  readonly observations: readonly BlockedObservation[];
  readonly noise: NoiseFloor | null;
  readonly fit: BlockedFit;
  /** The incumbent's configuration; null while it has no result. */
  readonly incumbent: JudgedConfig | null;
  /** By configuration. */
  readonly configs: ReadonlyMap<string, JudgedConfig>;
  /** By experiment, those of the incumbent's configuration not among them. */
  readonly judgements: ReadonlyMap<string, Judgement>;
}

/** Equal for replicates, and for nothing else. */
export const configOf = ({ identity, snapshot }: Experiment): string => identity ?? snapshot;

/** Noise floor, adjusted values and a verdict on every configuration. @param priorSd σ₀; null: none is known */
export function analyseCampaign(runs: CampaignRuns, priorSd: number | null): CampaignAnalysis {
  const { metric, incumbent } = runs;
  const observations = observedIn(runs);
  const noise = noiseFloor(observations, priorSd);
  const fit = adjustedValues(observations, noise);
  const reference = observations.find(({ experimentId }) => experimentId === incumbent)?.config ?? null;
  const incumbentEstimate = fit.configs.find(({ config }) => config === reference) ?? null;
  const shrunk = shrunkBy(fit);
  const members = new Map<string, string[]>();
  for (const { config, experimentId } of observations) {
    const known = members.get(config);
    if (known) known.push(experimentId);
    else members.set(config, [experimentId]);
  }
  const configs = new Map(
    fit.configs.map((estimate): [string, JudgedConfig] => {
      const isJudged = incumbentEstimate !== null && estimate !== incumbentEstimate;
      const judgement = isJudged ? judge(fit, estimate, incumbentEstimate, metric.goal) : null;
      const { config } = estimate;
      return [
        config,
        { estimate, shrunk: shrunk.get(config) ?? null, judgement, experiments: members.get(config) ?? [] },
      ];
    }),
  );
  const judgements = new Map<string, Judgement>();
  for (const { judgement, experiments } of configs.values()) {
    if (judgement) for (const id of experiments) judgements.set(id, judgement);
  }
  return {
    metric,
    observations,
    noise,
    fit,
    incumbent: (reference === null ? undefined : configs.get(reference)) ?? null,
    configs,
    judgements,
  };
}

/** Of a result that was read from a file nobody knows the machine: it is compared with nothing. */
const observedIn = ({ experiments, fleet, metric }: CampaignRuns): BlockedObservation[] =>
  observationsOf(
    experiments.filter(({ imported }) => !imported),
    { metric: metric.name, blockOf: blocksOfFleet(fleet), configOf },
  );

/** Values of all configurations drawn together; empty where an error is not known. */
function shrunkBy({ configs }: BlockedFit): ReadonlyMap<string, number> {
  const estimates = configs.flatMap(({ config, adjusted, standardError }) =>
    standardError === null ? [] : [{ config, value: adjusted, standardError }],
  );
  const values = shrunkenValues(estimates)?.values ?? [];
  return new Map(values.flatMap(({ value }, at) => (estimates[at] ? [[estimates[at].config, value] as const] : [])));
}

/**
 * The noise of earlier campaigns with the same metric, pooled, as a prior for this one; null where they show it with fewer
 * degrees of freedom than a prior counts for.
 */
export function priorFrom(earlier: readonly CampaignRuns[], metric: Metric): number | null {
  const pooled = earlier
    .filter((runs) => runs.metric.name === metric.name)
    .flatMap((runs, campaign) => observedIn(runs).map((run) => ({ ...run, block: `${campaign} ${run.block}` })));
  const floor = noiseFloor(pooled, null);
  return floor !== null && floor.df >= PRIOR_DF ? floor.sd : null;
}
