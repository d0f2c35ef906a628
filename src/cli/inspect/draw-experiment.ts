import { decisionWords } from '../../domain/decision.js';
import { stateOf, verdictOf } from './draw-rows.js';
import { foreignLine, foreignText } from './foreign-text.js';
import { difference, dollarsPerHour, duration, metricValue, money, NONE } from './quantities.js';
import type { ExperimentReport } from './report.js';
import { bad, bold, dim, facts, good, warning } from './table.js';

/** Digits of a hash that tell two apart for a person. */
const SHORT_HASH = 12;

export function drawExperiment(report: ExperimentReport): string {
  const { experiment: row, metric, metrics, crash, diff, log } = report;
  const entries: [string, string][] = [
    ['state', stateOf(row)],
    [metric.name, row.is_incumbent ? `${metricValue(row.value)}  the incumbent` : metricValue(row.value)],
    ['− incumbent', row.delta === null ? NONE : `${difference(row.delta)}  ${verdictOf(row) ?? unjudged(report)}`],
    ['wave', row.wave_id],
    [
      'ran',
      `${duration(row.run_seconds)} on ${row.cluster ?? NONE} (${foreignLine(report.hardware ?? report.accelerators ?? NONE)})`,
    ],
    ...(row.cost_usd === null
      ? []
      : [['cost', `${money(row.cost_usd)} at ${dollarsPerHour(report.usd_per_hour)}`] satisfies [string, string]]),
    ['code', `${report.snapshot.slice(0, SHORT_HASH)}, base ${report.base.slice(0, SHORT_HASH)}`],
    ...(row.replicate_of === null ? [] : [['replicate of', row.replicate_of] satisfies [string, string]]),
    ...(row.note === null ? [] : [['note', foreignLine(row.note)] satisfies [string, string]]),
    ...(row.decision === null ? [] : [['decision', drawDecision(row.decision)] satisfies [string, string]]),
    ...(crash === null
      ? []
      : [['crash', bad(`${crash.cause}: ${foreignLine(crash.message)}`)] satisfies [string, string]]),
  ];
  const measured = Object.entries(metrics ?? {}).filter(([name]) => name !== metric.name);
  return [
    `${bold(row.experiment_id)}  ${foreignLine(row.description)}`,
    facts(entries),
    ...report.notices.map((notice) => warning(`  ! ${foreignLine(notice)}`)),
    ...(measured.length === 0 ? [] : ['', bold('As the job printed it')]),
    ...(measured.length === 0
      ? []
      : [facts([...measured.map(([name, value]): [string, string] => [name, String(value)]), ...factsOf(report)])]),
    '',
    bold('Diff against its base'),
    diff.trim() === '' ? dim('  none: the unchanged base') : drawDiff(diff),
    '',
    bold('Log, the job’s own words'),
    log === null ? dim('  none yet') : foreignText(asShown(log)),
  ].join('\n');
}

/** What was decided and why, and on a second line what it rests on. */
function drawDecision(decision: NonNullable<ExperimentReport['experiment']['decision']>): string {
  const { verdict, against, commit } = decision;
  const basis = [
    `verdict ${verdict ?? 'none'}${against === null ? '' : ` against ${against}`}`,
    ...(commit === null ? [] : [`commit ${commit.slice(0, SHORT_HASH)}`]),
  ];
  return `${foreignLine(decisionWords(decision))}\n${dim(basis.join(', '))}`;
}

const unjudged = ({ noise_floor }: ExperimentReport): string =>
  noise_floor === null ? 'no verdict: no noise floor is known yet' : 'a replicate of the incumbent';

/** A progress line is rewritten in place by `\r`: what a terminal would show is its last state. */
const asShown = (log: string): string => log.replace(/[^\n]*\r(?=[^\n])/g, '');

const factsOf = ({ facts: said }: ExperimentReport): [string, string][] =>
  Object.entries(said).map(([name, value]) => [foreignLine(name), foreignLine(value)]);

const drawDiff = (diff: string): string =>
  foreignText(diff)
    .trimEnd()
    .split('\n')
    .map((line) =>
      /^(\+\+\+|---)/.test(line)
        ? dim(line)
        : line.startsWith('+')
          ? good(line)
          : line.startsWith('-')
            ? bad(line)
            : line,
    )
    .join('\n');
