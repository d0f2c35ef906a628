import type { Experiment, Literal } from '../experiment.js';
import type { FindingDraft } from '../finding.js';
import type { CrashRow } from './crash-map.js';
import type { FactorTrend } from './factor-trends.js';
import type { HardwareReport } from './hardware.js';
import { levelLabel } from './main-effects.js';
import type { ResearchReport } from './research-report.js';
import type { WaveEffects } from './wave-effects.js';

type Shown = Pick<ResearchReport, 'effects' | 'trends' | 'hardware' | 'crashes'>;

/**
 * What an analysis of the whole campaign says that is worth keeping: effects with an interval, trends with a shape, accelerators that differ
 * by more than twice the standard error, and levels at which runs crashed. An interaction is noted only where its interval leaves out 0.
 * @param experiments all of the campaign, for the ids that a finding rests on
 */
export function findingsOf(report: Shown, experiments: readonly Experiment[], metric: string): FindingDraft[] {
  const drafts = [
    ...(report.effects ? effectDrafts(report.effects, experiments, metric) : []),
    ...report.trends.flatMap((trend) => trendDrafts(trend, experiments)),
    ...(report.hardware ? hardwareDrafts(report.hardware, experiments, metric) : []),
    ...report.crashes.map((row) => crashDraft(row, experiments)),
  ];
  return drafts.map((draft) => ({ ...draft, by: 'server', refutes: null }));
}

type Draft = Omit<FindingDraft, 'by' | 'refutes'>;

function effectDrafts(
  { waveId, effects, n }: WaveEffects,
  experiments: readonly Experiment[],
  metric: string,
): Draft[] {
  const ids = idsOf(experiments, (run) => run.waveId === waveId && run.state === 'done');
  return effects.flatMap(({ name, estimate, interval, aliases }) => {
    if (interval === null) return [];
    const [low, high] = interval;
    const isShown = low > 0 || high < 0;
    if (!isShown && name.includes('×')) return [];
    const range = `95 % ${short(low)} to ${short(high)}`;
    const doubt = aliases.length === 0 ? '' : `; these runs cannot tell it from ${aliases.join(', ')}`;
    const text = isShown
      ? `${name} ${estimate > 0 ? 'raises' : 'lowers'} ${metric} by ${short(Math.abs(estimate))} from its first level to its last (${range})${doubt}.`
      : `${name} has no effect on ${metric} that ${waveId} could show (${range})${doubt}.`;
    const claim = isShown ? (estimate > 0 ? 'raises' : 'lowers') : 'not shown';
    return [{ kind: 'effect', subject: `effect:${name}`, claim, text, n: n || null, experimentIds: ids }];
  });
}

function trendDrafts({ factor, shape, best, advice, n }: FactorTrend, experiments: readonly Experiment[]): Draft[] {
  if (shape === 'unknown') return [];
  const ids = idsOf(experiments, (run) => run.state === 'done' && levelOf(run, factor) !== undefined);
  const claim = shape === 'flat' ? shape : `${shape} ${best}`;
  return [{ kind: 'trend', subject: `trend:${factor}`, claim, text: `${factor}: ${advice}`, n, experimentIds: ids }];
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

const short = (value: number): string => String(Number(value.toPrecision(3)));
