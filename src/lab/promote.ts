import type { JudgedConfig } from '../domain/analysis/campaign-analysis.js';
import { bestEstimate, rankConfigs } from '../domain/analysis/ranking.js';
import { AutoresearchError } from '../domain/errors.js';
import type { Experiment, ExperimentRequest } from '../domain/experiment.js';
import { listed } from '../domain/suggest.js';
import { analyse } from './analyse.js';
import type { Lab } from './lab.js';
import type { Plan } from './plan-runs.js';
import { submitRuns } from './submit-runs.js';

export interface PromoteAsk {
  /** How many configurations go up. */
  readonly k: number;
  readonly tier: string;
  /** Runs of each, and of the incumbent. */
  readonly replicates: number;
}

export interface Promoted {
  readonly plan: Plan;
  readonly control: Experiment;
  /** The best first. */
  readonly candidates: readonly {
    readonly experiment: Experiment;
    readonly config: JudgedConfig;
    readonly estimate: number;
  }[];
}

/**
 * Runs the best k again on a tier's accelerators, with the incumbent beside them as control: the best by shrunk estimate, because the
 * lowest of many values is mostly luck. Those that have lost to the incumbent are not among them.
 * @throws invalid_input for a tier that there is not, and where nothing can be promoted
 */
export async function promote(lab: Lab, { k, tier, replicates }: PromoteAsk): Promise<Promoted> {
  const { tiers } = lab.project.settings;
  const accelerators = tiers[tier];
  if (!accelerators) {
    throw new AutoresearchError(
      'invalid_input',
      `There is no tier ${tier}.`,
      `Tiers of autoresearch.yaml: ${listed(Object.keys(tiers))}.`,
    );
  }
  const { campaign, experiments, analysis } = await analyse(lab);
  const control = experiments.find(({ id }) => id === campaign.incumbent);
  if (!control || analysis.incumbent === null) {
    throw new AutoresearchError(
      'invalid_input',
      'There is no incumbent with a result to be the control.',
      'Wait with fetch_result until the baseline has ended, or launch_wave.',
    );
  }
  const candidates = rankConfigs(analysis, null)
    .configs.filter(({ judgement }) => judgement?.verdict !== 'loss')
    .flatMap((config) => {
      const experiment = experiments.find(({ id }) => id === config.experiments[0]);
      return experiment ? [{ experiment, config, estimate: bestEstimate(config) }] : [];
    })
    .slice(0, k);
  if (candidates.length === 0) {
    throw new AutoresearchError(
      'invalid_input',
      'No configuration but the incumbent has a result that is not a loss.',
      'Launch a wave first: launch_wave.',
    );
  }
  const plan = await submitRuns(lab, {
    description: `promotion of the best ${candidates.length} to ${tier}`,
    kind: 'list',
    factors: {},
    requests: [again(control, 'control'), ...candidates.map(({ experiment }) => again(experiment, 'promotion'))],
    replicates,
    accelerators,
    cluster: null,
    withBaseline: false,
  });
  return { plan, control, candidates };
}

const again = ({ id, description }: Experiment, why: string): ExperimentRequest => ({
  description: `${why}: ${description}`.slice(0, 200),
  overrides: {},
  edits: [],
  workdir: null,
  replicateOf: id,
  levels: {},
});
