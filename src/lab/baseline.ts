import type { CampaignFile } from '../domain/campaign.js';
import { type Experiment, type ExperimentRequest, isSettled } from '../domain/experiment.js';

/** Added to the first wave of a campaign; known by being this very value. */
export const BASELINE: ExperimentRequest = {
  description: 'baseline: the unchanged base',
  overrides: {},
  edits: [],
  workdir: null,
  replicateOf: null,
  levels: {},
};

/** The base that is being run and will be the first incumbent; null when there is none, or it has ended. */
export const openBaseline = (experiments: readonly Experiment[]): Experiment | null =>
  experiments.find(({ isBaseline, state }) => isBaseline && !isSettled(state)) ?? null;

export const needsBaseline = (campaign: CampaignFile, experiments: readonly Experiment[]): boolean =>
  campaign.incumbent === null && openBaseline(experiments) === null;
