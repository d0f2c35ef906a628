import { unpricedWords } from '../../domain/cost.js';
import { shownPath } from '../shown-path.js';
import { drawRows, NO_NOISE_FLOOR, noiseWords, verdictOf } from './draw-rows.js';
import { foreignLine } from './foreign-text.js';
import { counted, difference, dollarsPerHour, duration, metricValue, money, NONE, percent } from './quantities.js';
import type { CampaignReport, Cost, FolderReport, WaveRow } from './report.js';
import { bold, dim, facts, table, warning } from './table.js';

/** Rows of the leaderboard on the screen; --json has them all. */
const MOST_ROWS = 15;
const MOST_WAVES = 10;

export function drawCampaign(report: CampaignReport): string {
  const { metric, best, experiments, throughput, waves, clusters } = report;
  const incumbent = experiments.find(({ is_incumbent }) => is_incumbent);
  const ranked = experiments.filter(({ rank }) => rank !== null);
  const others = experiments.filter(({ rank }) => rank === null);
  return [
    `${bold(report.campaign)}  ${metric.goal} ${metric.name}  ${dim(shownPath(report.project))}`,
    facts([
      [
        'incumbent',
        incumbent
          ? `${metricValue(incumbent.value)}  ${incumbent.experiment_id}  ${foreignLine(incumbent.description)}`
          : `${NONE}  the unchanged base has no result yet`,
      ],
      ['best so far', bestLine(report)],
      ...(report.noise_floor !== null
        ? [['noise', noiseWords(report.noise_floor)] as const]
        : best === null || best.is_incumbent
          ? []
          : [['', warning(NO_NOISE_FLOOR)] as const]),
      ['experiments', countsOf(report.counts)],
      ['throughput', throughputLines(throughput)],
      ...(report.cost.clusters === 0 ? [] : [['cost', costLines(report.cost)] as const]),
    ]),
    ...report.notices.map((notice) => warning(`  ! ${foreignLine(notice)}`)),
    '',
    bold(`Fleet: ${counted(clusters.length, 'cluster')} up, ${report.clusters_ended} ended`),
    ...(clusters.length === 0 ? [] : [drawFleet(report)]),
    '',
    bold(counted(waves.length, 'wave')),
    ...(waves.length > MOST_WAVES ? [dim(`  … ${waves.length - MOST_WAVES} earlier ones: --json has them all`)] : []),
    ...(waves.length === 0 ? [] : [drawWaves(waves.slice(-MOST_WAVES), metric.name)]),
    '',
    bold(`Leaderboard: ${counted(ranked.length, 'experiment')} with a result`),
    ...(ranked.length === 0 ? [] : [drawRows(ranked.slice(0, MOST_ROWS), metric.name)]),
    ...(ranked.length > MOST_ROWS ? [dim(`  … ${ranked.length - MOST_ROWS} more: --json has them all`)] : []),
    ...(others.length === 0
      ? []
      : [
          '',
          bold(`Without a result: ${counted(others.length, 'experiment')}`),
          drawRows(others.slice(-MOST_ROWS), metric.name),
        ]),
    '',
    dim(
      `More: autoresearch-mcp inspect ${waves.at(-1)?.wave_id ?? 'wave-001'} | ${best?.experiment_id ?? 'exp-0001'}, --watch, --json`,
    ),
  ].join('\n');
}

export function throughputLines(throughput: CampaignReport['throughput']): string {
  if (throughput === null) return NONE;
  const { experiments_per_hour: perHour, busy_share, one_gpu_hours, wall_hours, speed_up } = throughput;
  const [alone, took] = [one_gpu_hours, wall_hours].map((hours) => duration(hours * 3600));
  return [
    `${perHour.toFixed(perHour < 10 ? 1 : 0)} experiments/h; clusters busy ${percent(busy_share)} of the time`,
    `one GPU would have needed ${alone} for what took ${took}: ${speed_up.toFixed(1)}× as fast`,
  ].join('\n');
}

/** What is spent, what it would be an hour from now, what is left; and of how many clusters nobody knows. */
function costLines(cost: Cost): string {
  const { usd, idle_usd, idle_share, usd_per_hour, max_usd, left_usd, clusters, clusters_without_price } = cost;
  const unknown = unpricedWords({ usd, machines: clusters, unpriced: clusters_without_price });
  return [
    ...(usd === null
      ? []
      : [
          `${unknown === null ? '' : 'at least '}${money(usd)}, of it ${money(idle_usd)} (${percent(idle_share)}) idle; ${dollarsPerHour(usd_per_hour)} now`,
        ]),
    ...(max_usd === null ? [] : [`${money(left_usd)} left of limits.max_cost_usd, ${money(max_usd)}`]),
    ...(unknown === null ? [] : [`${unknown} (autoresearch.yaml: prices)`]),
  ].join('\n');
}

function bestLine({ best, metric }: CampaignReport): string {
  if (best === null) return `${NONE}  no experiment has a result yet`;
  const verdict = verdictOf(best);
  const against = best.is_incumbent
    ? 'the incumbent itself'
    : `${difference(best.delta)} against the incumbent${verdict === null ? '' : `, ${verdict}`}`;
  return `${metricValue(best.value)} ${metric.name}  ${best.experiment_id}  ${against}  ${foreignLine(best.description)}`;
}

const countsOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ') || 'none yet';

const drawFleet = ({ clusters }: CampaignReport): string =>
  table(
    [
      { head: 'cluster' },
      { head: 'state' },
      { head: 'what' },
      { head: 'running', align: 'right' },
      { head: 'waiting', align: 'right' },
      { head: 'idle in', align: 'right' },
      { head: 'price', align: 'right' },
      { head: 'on' },
    ],
    clusters.map((row) => [
      row.cluster,
      row.state,
      row.accelerators ?? NONE,
      String(row.running),
      String(row.waiting),
      row.idle_in_seconds === 0 ? 'idle' : duration(row.idle_in_seconds),
      dollarsPerHour(row.usd_per_hour),
      [row.hardware, row.reason].flatMap((text) => (text === null ? [] : foreignLine(text))).join('; ') || NONE,
    ]),
  );

const drawWaves = (waves: readonly WaveRow[], metric: string): string =>
  table(
    [
      { head: 'wave' },
      { head: 'ended', align: 'right' },
      { head: `best ${metric}`, align: 'right' },
      { head: 'by' },
      { head: 'what' },
    ],
    waves.map((wave) => [
      wave.wave_id,
      `${wave.ended} of ${wave.experiments}`,
      metricValue(wave.best),
      wave.best_experiment ?? NONE,
      [
        wave.kind === 'list' ? '' : `${wave.kind}: ${Object.keys(wave.factors).join(' × ')}`,
        foreignLine(wave.description),
      ]
        .filter(Boolean)
        .join('; '),
    ]),
  );

export const drawFolder = ({ folder, campaigns }: FolderReport): string =>
  [
    `${shownPath(folder)} holds no campaign itself; beneath it:`,
    table(
      [{ head: 'campaign' }, { head: 'best', align: 'right' }, { head: 'metric' }, { head: 'project' }],
      campaigns.map(({ campaign, best, metric, project }) => [
        campaign,
        metricValue(best?.value ?? null),
        `${metric.goal} ${metric.name}`,
        shownPath(project),
      ]),
    ),
    '',
    dim('One of them in full: autoresearch-mcp inspect --project PATH'),
  ].join('\n');
