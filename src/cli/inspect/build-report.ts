import { mainEffects } from '../../domain/analysis/main-effects.js';
import { experimentCost } from '../../domain/cost.js';
import { type Experiment, isSettled, metricOf } from '../../domain/experiment.js';
import { ExperimentId, WaveId } from '../../domain/ids.js';
import { type Prices, priceOf } from '../../domain/price.js';
import { leaderboard, type Standing, standings } from '../../domain/standing.js';
import { experimentsOf, type WaveFile } from '../../domain/wave.js';
import { analyse } from '../../lab/analyse.js';
import { type CampaignStatus, campaignStatus } from '../../lab/campaign-status.js';
import { pickExperiments } from '../../lab/cancel-experiments.js';
import { experimentsOfWave } from '../../lab/fetch-results.js';
import type { ClusterView } from '../../lab/list-clusters.js';
import type { Look } from '../../lab/look.js';
import type { CampaignReport, ClusterRow, Cost, ExperimentReport, Row, WaveReport, WaveRow } from './report.js';

/** Enough to see how a run ended; the whole log is a flag away. */
const LOG_TAIL_LINES = 20;

/** Everything that reports are made from, read once, so that one screen shows one moment. */
export async function read(look: Look) {
  const status = await campaignStatus(look.lab, null);
  const { experiments, waves: files, analysis } = await analyse(look.lab);
  const { judgements, noise } = analysis;
  const ranked = leaderboard(experiments, status.campaign, judgements);
  const { prices } = look.lab.project.settings;
  const maxUsd = look.lab.project.settings.limits.max_cost_usd;
  const rowOf = rowMaker(ranked, status, prices, look.lab.now());
  const waves = files.map((file) => waveRow(file, status.campaign.metric.name, ranked));
  const unseen = look.unseen === null ? [] : [`The machines did not answer (${look.unseen}): this is what was stored.`];
  const common = {
    project: look.lab.project.directory,
    campaign: status.campaign.name,
    metric: { ...status.campaign.metric },
    incumbent: status.campaign.incumbent,
    noise_floor: noise && { sd: noise.sd, df: noise.df, effective_df: noise.effectiveDf, prior: noise.prior },
    notices: [...unseen, ...status.notices],
  };
  return { look, status, experiments, judgements, ranked, rowOf, waves, prices, maxUsd, common };
}
type Facts = Awaited<ReturnType<typeof read>>;

export function campaignReport({ status, experiments, ranked, rowOf, waves, maxUsd, common }: Facts): CampaignReport {
  const { throughput, campaign } = status;
  return {
    kind: 'campaign',
    ...common,
    best: status.best && rowOf(status.best),
    counts: Object.fromEntries(Object.entries(status.counts).filter(([, count]) => count > 0)),
    throughput: throughput && {
      experiments_per_hour: throughput.experimentsPerHour,
      busy_share: throughput.busyShare,
      wall_hours: throughput.wallHours,
      one_gpu_hours: throughput.sequentialHours,
      speed_up: throughput.speedUp,
    },
    cost: costOf(status, maxUsd),
    clusters: status.fleet.map(clusterRow),
    clusters_ended: campaign.fleet.filter(({ state }) => state === 'ended').length,
    waves,
    experiments: rowsOf(experiments, experiments, ranked, rowOf, status),
  };
}

/** @throws not_found, invalid_input */
export function waveReport(facts: Facts, id: string): WaveReport {
  const { status, experiments, ranked, rowOf, waves, common } = facts;
  const waveId = WaveId.parse(id);
  const chosen = experimentsOfWave(experiments, waveId);
  const wave = waves.find(({ wave_id }) => wave_id === waveId);
  if (!wave) throw new Error(`${waveId} has experiments and no record.`);
  return {
    kind: 'wave',
    ...common,
    wave,
    experiments: rowsOf(chosen, experiments, ranked, rowOf, status),
    main_effects: effectsOf(chosen, status.campaign.metric.name),
  };
}

/** Of the experiments that a design made and that have a result. */
export const effectsOf = (chosen: readonly Experiment[], metric: string): WaveReport['main_effects'] =>
  mainEffects(
    chosen.flatMap((run) => {
      const value = metricOf(run, metric);
      return value === null ? [] : [{ levels: run.levels, value }];
    }),
  ).map(({ factor, range, levels }) => ({ factor, range, levels: levels.map((level) => ({ ...level })) }));

/** @throws not_found */
export async function experimentReport(facts: Facts, id: string, withWholeLog: boolean): Promise<ExperimentReport> {
  const { look, status, experiments, judgements, rowOf, prices, common } = facts;
  const [run] = pickExperiments(experiments, [ExperimentId.parse(id)]);
  const [standing] = standings(run ? [run] : [], experiments, status.campaign, judgements);
  if (!run || !standing) throw new Error(`${id} was found and lost.`);
  const log = await look.log(run.id);
  return {
    kind: 'experiment',
    ...common,
    experiment: rowOf(standing),
    overrides: run.overrides,
    metrics: run.metrics,
    facts: run.facts,
    model_config: run.modelConfig,
    snapshot: run.snapshot,
    base: run.base,
    accelerators: run.accelerators,
    hardware: run.hardware,
    usd_per_hour: priceOf(run, prices),
    exit_code: run.exitCode,
    planned_at: run.plannedAt,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    crash: run.crash && { cause: run.crash.cause, message: run.crash.message },
    diff:
      (await look.lab.store.readText(run.id, 'diff.patch')) ?? (await look.lab.snapshots.diff(run.base, run.snapshot)),
    log: log === null || withWholeLog ? log : lastLines(log),
  };
}

/** Of a progress line, which is rewritten in place by `\r`, the last state only: it would be the longest line by far. */
const lastLines = (log: string): string =>
  log
    .trimEnd()
    .split('\n')
    .slice(-LOG_TAIL_LINES)
    .map((line) => line.trimEnd().split('\r').at(-1) ?? '')
    .join('\n');

function rowMaker(ranked: readonly Standing[], { campaign }: CampaignStatus, prices: Prices, now: number) {
  const ranks = new Map(ranked.map(({ experiment }, index) => [experiment.id, index + 1]));
  return ({ experiment: run, value, delta, verdict, pBetter, n, df }: Standing): Row => ({
    rank: ranks.get(run.id) ?? null,
    experiment_id: run.id,
    wave_id: run.waveId,
    description: run.description,
    state: run.state,
    value,
    delta,
    verdict,
    p_better: pBetter,
    n,
    df,
    is_incumbent: run.id === campaign.incumbent,
    is_baseline: run.isBaseline,
    replicate_of: run.replicateOf,
    cluster: run.cluster,
    run_seconds: run.startedAt === null ? null : ((run.endedAt ?? now) - run.startedAt) / 1000,
    cost_usd: experimentCost(run, prices, now),
    crash_cause: run.crash?.cause ?? null,
    note: run.note,
    decision: run.decision,
  });
}

/** The best first; what has no result stands behind, in order of its ids. */
function rowsOf(
  chosen: readonly Experiment[],
  all: readonly Experiment[],
  ranked: readonly Standing[],
  rowOf: (standing: Standing) => Row,
  { campaign }: CampaignStatus,
): Row[] {
  const wanted = new Set(chosen.map(({ id }) => id));
  const others = standings(chosen, all, campaign).filter(({ value }) => value === null);
  return [...ranked.filter(({ experiment }) => wanted.has(experiment.id)), ...others].map(rowOf);
}

function waveRow(file: WaveFile, metric: string, ranked: readonly Standing[]): WaveRow {
  const runs = experimentsOf(file);
  const best = ranked.find(({ experiment }) => experiment.waveId === file.wave.id)?.experiment;
  return {
    wave_id: file.wave.id,
    description: file.wave.description,
    kind: file.wave.kind,
    factors: file.wave.factors,
    experiments: runs.length,
    ended: runs.filter(({ state }) => isSettled(state)).length,
    best: best ? metricOf(best, metric) : null,
    best_experiment: best?.id ?? null,
  };
}

const costOf = ({ cost: { spent, idleUsd, perHour }, leftUsd }: CampaignStatus, maxUsd: number | null): Cost => ({
  usd: spent.usd,
  idle_usd: idleUsd,
  idle_share: spent.usd === null || spent.usd === 0 || idleUsd === null ? null : idleUsd / spent.usd,
  usd_per_hour: perHour.usd,
  max_usd: maxUsd,
  left_usd: leftUsd,
  clusters: spent.machines,
  clusters_without_price: spent.unpriced,
});

const clusterRow = ({ cluster, running, waiting, idleInSeconds }: ClusterView): ClusterRow => ({
  cluster: cluster.id,
  state: cluster.state,
  accelerators: cluster.accelerators,
  hardware: cluster.hardware,
  running,
  waiting,
  idle_in_seconds: Math.round(idleInSeconds),
  usd_per_hour: cluster.pricePerHourUsd,
  reason: cluster.reason,
});
