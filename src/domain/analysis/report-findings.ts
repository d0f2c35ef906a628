import type { Metric } from '../campaign.js';
import type { Experiment, Literal } from '../experiment.js';
import { BY_SERVER, type FindingDraft, NOT_SHOWN } from '../finding.js';
import { experimentsOf, type WaveFile } from '../wave.js';
import type { CrashRow } from './crash-map.js';
import { effectDrafts, short } from './effect-findings.js';
import type { FactorTrend } from './factor-trends.js';
import type { HardwareReport } from './hardware.js';
import { levelLabel } from './main-effects.js';
import type { ResearchReport } from './research-report.js';
import { noiseDrafts, repetitionDrafts, resultDrafts, waveDrafts } from './wave-findings.js';

type Shown = Pick<
  ResearchReport,
  'analysis' | 'ranking' | 'repetition' | 'effects' | 'trends' | 'hardware' | 'crashes'
>;

/**
 * What an analysis of the whole campaign says that is worth keeping: what was asked, what beats the incumbent, what held up, effects with an
 * interval, trends with a shape, noise, accelerators that differ by more than twice the standard error, and levels at which runs crashed.
 * @param waves all of the campaign, for the ids that a finding rests on
 * @param standing subjects of the campaign that something is claimed of
 */
export function findingsOf(
  report: Shown,
  waves: readonly WaveFile[],
  metric: Metric,
  standing: ReadonlySet<string>,
): FindingDraft[] {
  const { analysis, effects, repetition, trends, hardware, crashes } = report;
  const experiments = waves.flatMap(experimentsOf);
  const designed = waves.find(({ wave }) => wave.id === effects?.waveId);
  return [
    ...waveDrafts(waves, metric),
    ...resultDrafts(report, experiments, standing),
    ...repetitionDrafts(repetition, metric, experiments),
    ...(effects && designed ? effectDrafts(effects, designed, metric) : []).filter((draft) => isNews(draft, standing)),
    ...[
      ...trends.flatMap((trend) => trendDrafts(trend, experiments, metric.name)),
      ...(hardware ? hardwareDrafts(hardware, experiments, metric.name) : []),
      ...crashes.map((row) => crashDraft(row, experiments)),
    ].map((draft) => ({ ...BY_SERVER, ...draft })),
    ...noiseDrafts(analysis),
  ];
}

/** Where nothing was claimed before, that an interaction is not shown is no news: that is true of most. */
const isNews = ({ claim, subject }: FindingDraft, standing: ReadonlySet<string>): boolean =>
  subject === null || standing.has(subject) || !(claim === NOT_SHOWN && subject.includes('×'));

type Draft = Omit<FindingDraft, keyof typeof BY_SERVER>;

function trendDrafts(trend: FactorTrend, experiments: readonly Experiment[], metric: string): Draft[] {
  const { factor, shape, best, advice, levels, n } = trend;
  if (shape === 'unknown') return [];
  const ids = idsOf(experiments, (run) => run.state === 'done' && levelOf(run, factor) !== undefined);
  const claim = shape === 'flat' ? shape : `${shape} ${best}`;
  const means = levels.map(({ level, mean }) => `${level}: ${mean.toFixed(6)}`).join(', ');
  const text = `${factor}: ${advice} Mean ${metric} at ${means}.`;
  return [{ kind: 'trend', subject: `trend:${factor}`, claim, text, n, experimentIds: ids }];
}

function hardwareDrafts(
  { reference, rows }: HardwareReport,
  experiments: readonly Experiment[],
  metric: string,
): Draft[] {
  return rows.flatMap(({ accelerator, n, offset, offsetSe }) => {
    if (offset === null || offsetSe === null || Math.abs(offset) <= 2 * offsetSe) return [];
    const word = offset > 0 ? 'higher' : 'lower';
    return [
      {
        kind: 'hardware',
        subject: `hardware:${accelerator}`,
        claim: `${word} than ${reference}`,
        text: `Equal code scores ${metric} ${short(Math.abs(offset))} ${word} on ${accelerator} than on ${reference} (SE ${short(offsetSe)}).`,
        n,
        experimentIds: idsOf(experiments, (run) => run.state === 'done' && run.accelerators === accelerator),
      },
    ];
  });
}

function crashDraft({ setting, level, ran, crashed, causes }: CrashRow, experiments: readonly Experiment[]): Draft {
  const of = ran + crashed;
  return {
    kind: 'crash',
    subject: `crash:${setting}=${level}`,
    claim: ran === 0 ? 'always' : 'sometimes',
    text: `${setting} ${level}: ${crashed} of ${of} run${of === 1 ? '' : 's'} crashed (${Object.keys(causes).join(', ')}).`,
    n: of,
    experimentIds: idsOf(experiments, (run) => {
      const at = levelOf(run, setting);
      return run.crash !== null && at !== undefined && levelLabel(at) === level;
    }),
  };
}

const levelOf = ({ levels, overrides }: Experiment, name: string): Literal | undefined =>
  levels[name] ?? overrides[name];

const idsOf = (experiments: readonly Experiment[], isOne: (run: Experiment) => boolean) =>
  experiments.filter((run) => !run.imported && isOne(run)).map(({ id }) => id);
