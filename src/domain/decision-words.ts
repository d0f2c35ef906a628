import type { Judgement } from './analysis/verdict.js';
import { type Decision, isBacked } from './decision.js';
import { type Experiment, metricOf } from './experiment.js';
import { BY_SERVER, type FindingDraft } from './finding.js';
import { idSpans } from './notebook.js';
import { probability } from './standing.js';

/** What a decision rests on. */
export interface Evidence {
  readonly experiment: Experiment;
  /** Other runs of the same code that have a result. */
  readonly replicates: readonly Experiment[];
  /** What it was compared with; null: nothing, or it is the incumbent itself. */
  readonly incumbent: Experiment | null;
  readonly metric: string;
  /** Of all its runs against all of the incumbent's; null: none, or it is the incumbent itself. */
  readonly judgement: Judgement | null;
  readonly verdict: string | null;
  readonly reason: string;
}

/** Longest first line of a commit's message, as git's own tools show it. */
const LONGEST_SUBJECT = 72;

/** Of the commit of a kept experiment: first line, figures, reason, and the runs that are the evidence. */
export function commitMessage(evidence: Evidence): string {
  const { experiment, replicates, incumbent, reason } = evidence;
  const subject = `keep ${experiment.id}: ${oneLine(experiment.description)}`;
  return [
    subject.length > LONGEST_SUBJECT ? `${subject.slice(0, LONGEST_SUBJECT - 1)}…` : subject,
    '',
    `${figures(evidence)}.`,
    `Reason: ${oneLine(reason)}`,
    `Evidence: ${idSpans([experiment, ...replicates].map(({ id }) => id))}${incumbent ? ` against ${incumbent.id}` : ''}`,
    `Snapshot: ${experiment.snapshot}`,
    '',
  ].join('\n');
}

export function decisionFinding(evidence: Evidence, decision: Decision): FindingDraft {
  const { experiment, replicates, reason } = evidence;
  const runs = [experiment, ...replicates];
  const verb = decision.kind === 'keep' ? 'Kept' : 'Discarded';
  const doubt = isBacked(decision) ? '' : ', without evidence';
  const facts = metricOf(experiment, evidence.metric) === null ? 'no result' : figures(evidence);
  return {
    ...BY_SERVER,
    kind: 'decision',
    subject: `decision:${experiment.id}`,
    claim: decision.kind,
    text: `${verb}${doubt}: ${experiment.id}, ${oneLine(experiment.description)}. ${facts}. Reason: ${oneLine(reason)}`,
    n: runs.length,
    experimentIds: runs.map(({ id }) => id),
  };
}

/**
 * `val_bpb 0.950000, −0.020000 against exp-0001 (0.970000); verdict: win`, and where more is known than these two runs what all of both
 * configurations say, which is what the verdict rests on.
 */
function figures({ experiment, incumbent, metric, verdict, judgement }: Evidence): string {
  const value = metricOf(experiment, metric);
  const reference = incumbent && metricOf(incumbent, metric);
  const compared =
    value === null || reference === null || !incumbent
      ? ''
      : `, ${signed(value - reference)} against ${incumbent.id} (${reference.toFixed(6)})`;
  return `${metric} ${value?.toFixed(6) ?? 'none'}${compared}${judgement ? judged(judgement) : ''}; verdict: ${verdict ?? 'none'}`;
}

function judged({ difference, pBetter, n, incumbentN, df }: Judgement): string {
  if (pBetter === null) return '';
  return `; ${signed(difference)} by all runs with the machines taken out (${probability(pBetter)}, n=${n} against ${incumbentN}, df=${Math.round(df ?? 0)})`;
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(6)}`;

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
