import { analyseCampaign, type CampaignAnalysis, priorFrom } from '../domain/analysis/campaign-analysis.js';
import type { CampaignFile } from '../domain/campaign.js';
import { type Experiment, isSettled } from '../domain/experiment.js';
import { experimentsOf, type WaveFile } from '../domain/wave.js';
import type { Store } from '../store/store.js';
import { type Lab, readCampaign } from './lab.js';

/** One reading of the store, with what follows from it. */
export interface Analysed {
  readonly campaign: CampaignFile;
  /** Of this campaign, the oldest first. */
  readonly waves: readonly WaveFile[];
  readonly experiments: readonly Experiment[];
  readonly analysis: CampaignAnalysis;
}

/** The last analysis of each store: between two results everybody asks for the same one. */
const latest = new WeakMap<Store, { readonly stamp: string; readonly analysis: CampaignAnalysis }>();

/** The campaign with a verdict on every configuration. The statistics are worked out anew only where a result has come. */
export async function analyse(lab: Lab): Promise<Analysed> {
  const campaign = await readCampaign(lab);
  const everywhere = await lab.store.waves();
  const waves = everywhere.filter(({ wave }) => wave.campaign === campaign.name);
  const others = everywhere.filter(({ wave }) => wave.campaign !== campaign.name);
  const experiments = waves.flatMap(experimentsOf);
  const stamp = JSON.stringify([
    campaign.metric,
    campaign.incumbent,
    campaign.fleet.length,
    lab.project.settings.noise_prior,
    ...newest(experiments),
    ...newest(others.flatMap(experimentsOf)),
  ]);
  const known = latest.get(lab.store);
  if (known?.stamp === stamp) return { campaign, waves, experiments, analysis: known.analysis };
  const prior = lab.project.settings.noise_prior ?? (await priorOf(lab, campaign, others));
  const analysis = analyseCampaign({ ...campaign, experiments }, prior);
  latest.set(lab.store, { stamp, analysis });
  return { campaign, waves, experiments, analysis };
}

/** How many have settled, and when the last did: nothing that is analysed changes without either. */
function newest(experiments: readonly Experiment[]): [number, number] {
  let [count, last] = [0, 0];
  for (const { state, settledAt } of experiments) {
    if (!isSettled(state)) continue;
    count++;
    last = Math.max(last, settledAt ?? 0);
  }
  return [count, last];
}

async function priorOf(lab: Lab, { metric }: CampaignFile, others: readonly WaveFile[]): Promise<number | null> {
  const names = [...new Set(others.map(({ wave }) => wave.campaign))];
  const earlier = await Promise.all(names.map((name) => lab.store.campaign(name)));
  const runs = earlier.flatMap((campaign) => {
    if (campaign === null) return [];
    const own = others.filter(({ wave }) => wave.campaign === campaign.name);
    return [{ ...campaign, experiments: own.flatMap(experimentsOf) }];
  });
  return priorFrom(runs, metric);
}
