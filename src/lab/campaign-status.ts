import type { NoiseFloor } from '../domain/analysis/noise-floor.js';
import { type ReachedTarget, reachedTarget } from '../domain/analysis/target.js';
import { type Throughput, throughput } from '../domain/analysis/throughput.js';
import type { CampaignFile, FleetCluster } from '../domain/campaign.js';
import { type CampaignCost, campaignCost } from '../domain/cost.js';
import { EXPERIMENT_STATES, type Experiment, type ExperimentState, isSettled } from '../domain/experiment.js';
import { leaderboard, type Standing, withoutResult } from '../domain/standing.js';
import { analyse } from './analyse.js';
import type { Lab } from './lab.js';
import { type ClusterView, viewFleet } from './list-clusters.js';

export interface CampaignStatus {
  readonly campaign: CampaignFile;
  readonly counts: Readonly<Record<ExperimentState, number>>;
  readonly waves: number;
  readonly incumbent: Standing | null;
  /** The best value so far, whether or not it could be chance; replicates of the incumbent are chance alone, and never it. */
  readonly best: Standing | null;
  /** null: no replicates, and no prior. */
  readonly noise: NoiseFloor | null;
  /** Settled after `since`, the oldest first. */
  readonly finished: readonly Standing[];
  /** To be given as `since` next time. */
  readonly cursor: number;
  readonly throughput: Throughput | null;
  readonly fleet: readonly ClusterView[];
  readonly cost: CampaignCost;
  /** limits.max_cost_usd less what is spent; null without that limit, or where nobody knows what is spent. */
  readonly leftUsd: number | null;
  readonly maxExperiments: number | null;
  /** Who has reached limits.target; null: nobody yet, or there is none. */
  readonly target: ReachedTarget | null;
  /** Seconds until the first cluster has nothing to do; null without clusters. */
  readonly queueDryInSeconds: number | null;
  /** What a careful person would want to know: damaged files kept aside, experiments that wait for a cluster. */
  readonly notices: readonly string[];
}

/** From the store alone, so it is cheap and works while no server runs; call `advance` before for the latest. */
export async function campaignStatus(lab: Lab, since: number | null): Promise<CampaignStatus> {
  const { campaign, experiments, analysis } = await analyse(lab);
  const { limits, prices } = lab.project.settings;
  const ranked = leaderboard(experiments, campaign, analysis.judgements);
  const fleet = await viewFleet(lab);
  const cost = campaignCost(campaign.fleet, experiments, prices, lab.now());
  const { usd } = cost.spent;
  const settled = experiments.filter(({ state }) => isSettled(state));
  const news = settled
    .filter(({ settledAt }) => settledAt !== null && settledAt > (since ?? 0))
    .sort((a, b) => (a.settledAt ?? 0) - (b.settledAt ?? 0));
  return {
    campaign,
    counts: countStates(experiments),
    waves: new Set(experiments.map(({ waveId }) => waveId)).size,
    incumbent: ranked.find(({ experiment }) => experiment.id === campaign.incumbent) ?? null,
    best: ranked.find(({ isControl }) => !isControl) ?? null,
    noise: analysis.noise,
    finished: news.map((experiment) => standingOf(experiment, ranked)),
    cursor: Math.max(since ?? 0, ...settled.map(({ settledAt }) => settledAt ?? 0)),
    throughput: throughput(experiments, lives(campaign), lab.now()),
    fleet,
    cost,
    leftUsd: limits.max_cost_usd === null || usd === null ? null : Math.max(0, limits.max_cost_usd - usd),
    maxExperiments: limits.max_experiments,
    target: reachedTarget(analysis, limits.target),
    queueDryInSeconds: fleet.length === 0 ? null : Math.min(...fleet.map(({ idleInSeconds }) => idleInSeconds)),
    notices: notices(lab, campaign, experiments),
  };
}

const standingOf = (experiment: Experiment, ranked: readonly Standing[]): Standing =>
  ranked.find((standing) => standing.experiment.id === experiment.id) ?? withoutResult(experiment);

const lives = ({ fleet }: CampaignFile) =>
  fleet.flatMap(({ upAt, endedAt }) => (upAt === null ? [] : [{ from: upAt, to: endedAt }]));

function countStates(experiments: readonly Experiment[]): Record<ExperimentState, number> {
  const counts = {
    planned: 0,
    queued: 0,
    running: 0,
    done: 0,
    crashed: 0,
    timed_out: 0,
    cancelled: 0,
    lost: 0,
    refused: 0,
  };
  for (const state of EXPERIMENT_STATES) counts[state] = experiments.filter((run) => run.state === state).length;
  return counts;
}

function notices(lab: Lab, campaign: CampaignFile, experiments: readonly Experiment[]): string[] {
  const aside = lab.store.keptAside();
  const homeless = experiments.filter(({ state, cluster }) => state === 'planned' && cluster === null);
  return [
    ...(aside.length > 0
      ? [
          `A damaged state file was rebuilt from its journal and kept aside in ${lab.store.directory}: ${aside.join(', ')}.`,
        ]
      : []),
    ...(homeless.length > 0 ? [`${homeless.map(({ id }) => id).join(', ')}: no cluster could be had yet.`] : []),
    ...campaign.fleet.filter((cluster) => isWaitedFor(lab, cluster)).map(capacityNotice),
  ];
}

/** Within which a launch that found no machine is still worth telling. */
const RECENT_MS = 1_800_000;

const isWaitedFor = (lab: Lab, { state, reason, gotNoMachine, endedAt }: FleetCluster): boolean =>
  (state === 'launching' && reason !== null) || (gotNoMachine && lab.now() - (endedAt ?? lab.now()) < RECENT_MS);

const capacityNotice = ({ id, requested, state, reason }: FleetCluster): string =>
  `${id} (${requested.join(' or ') || 'any'}) ${state === 'launching' ? 'waits for a machine' : 'got no machine'}: ${reason}`;
