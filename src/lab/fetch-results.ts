import type { CampaignFile } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import type { Experiment } from '../domain/experiment.js';
import type { ExperimentId, WaveId } from '../domain/ids.js';
import { type Standing, standings } from '../domain/standing.js';
import { analyse } from './analyse.js';
import { awaitNews, type WaitOptions } from './await-news.js';
import { pickExperiments } from './cancel-experiments.js';
import type { Lab } from './lab.js';

export interface Results {
  readonly campaign: CampaignFile;
  readonly standings: readonly Standing[];
  /** Why they may stand otherwise by now; null: they do not. */
  readonly unseen: string | null;
}

/** @throws not_found for a wave or an experiment that this campaign does not have */
export async function fetchResults(
  lab: Lab,
  what: { readonly waveId: WaveId | null; readonly experimentIds: readonly ExperimentId[] },
  wait: WaitOptions,
): Promise<Results> {
  const pick = (all: readonly Experiment[]): Experiment[] => [
    ...(what.waveId === null ? [] : experimentsOfWave(all, what.waveId)),
    ...pickExperiments(all, what.experimentIds),
  ];
  const { picked, unseen } = await awaitNews(lab, pick, wait);
  const { campaign, experiments, analysis } = await analyse(lab);
  return { campaign, standings: standings(picked, experiments, campaign, analysis.judgements), unseen };
}

export function experimentsOfWave(all: readonly Experiment[], waveId: WaveId): Experiment[] {
  const found = all.filter((experiment) => experiment.waveId === waveId);
  if (found.length > 0) return found;
  const last = all.at(-1)?.waveId;
  throw new AutoresearchError(
    'not_found',
    `This campaign has no ${waveId}.`,
    last === undefined ? 'It has no waves yet: call launch_wave.' : `Its last wave is ${last}.`,
  );
}
