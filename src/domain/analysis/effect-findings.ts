import type { Goal, Metric } from '../campaign.js';
import type { Literal } from '../experiment.js';
import { BY_SERVER, type FindingDraft, NOT_SHOWN } from '../finding.js';
import { experimentsOf, type WaveFile } from '../wave.js';
import type { Effect } from './effects.js';
import { levelLabel } from './main-effects.js';
import type { WaveEffects } from './wave-effects.js';

/** A factor, or one label of it, and from which level to which its effect goes. */
interface Step {
  readonly factor: string;
  readonly from: string;
  readonly to: string;
}

/**
 * What each factor of a design does between which levels, for over others it may do something else; what could not be shown is noted too.
 * Without an interval nothing is.
 */
export function effectDrafts({ effects, n }: WaveEffects, file: WaveFile, metric: Metric): FindingDraft[] {
  const experimentIds = experimentsOf(file).flatMap(({ id, state }) => (state === 'done' ? [id] : []));
  // What was shown comes first.
  const inOrder = [...effects].sort((a, b) => Number(isSeen(b)) - Number(isSeen(a)));
  return inOrder.flatMap((effect): FindingDraft[] => {
    const { name, estimate, interval } = effect;
    if (interval === null) return [];
    const isShown = isSeen(effect);
    const steps = name.split('×').map((part) => stepOf(part, file.wave.factors));
    const subject = `effect:${steps.map(({ factor, from, to }) => `${factor} ${from}→${to}`).join('×')}`;
    const claim = isShown ? (estimate > 0 ? 'raises' : 'lowers') : NOT_SHOWN;
    const text = `${saidOf(effect, steps, isShown, metric)} (95 % ${short(interval[0])} to ${short(interval[1])})${doubtOf(effect)}.`;
    return [{ ...BY_SERVER, kind: 'effect', subject, claim, text, interval, n: n || null, experimentIds }];
  });
}

const isSeen = ({ interval }: Effect): boolean => interval !== null && (interval[0] > 0 || interval[1] < 0);

function saidOf({ estimate }: Effect, steps: readonly Step[], isShown: boolean, { name, goal }: Metric): string {
  const [step, other] = steps;
  if (!step) return '';
  if (other && !isShown) return `${step.factor} and ${other.factor} have no interaction that could be shown`;
  if (other) {
    return `${step.factor} and ${other.factor} interact: with ${other.factor} ${other.to}, ${arrow(step)} changes ${name} by ${signed(estimate)} beyond its mean effect`;
  }
  if (!isShown) return `${arrow(step)} has no effect on ${name} that could be shown`;
  const verb = estimate > 0 ? 'raises' : 'lowers';
  return `${arrow(step)} ${verb} ${name} by ${short(Math.abs(estimate))}, which is ${isGain(estimate, goal) ? 'better' : 'worse'}`;
}

const isGain = (estimate: number, goal: Goal): boolean => (goal === 'minimize' ? estimate < 0 : estimate > 0);

const arrow = ({ factor, from, to }: Step): string => `${factor} ${from} → ${to}`;

const doubtOf = ({ aliases }: Effect): string => (aliases.length === 0 ? '' : `; aliased with ${aliases.join(', ')}`);

/** `LR` goes from its lowest number, or first label, to its last; `ACT[gelu]` from the first label to that one. */
function stepOf(name: string, factors: Readonly<Record<string, readonly Literal[]>>): Step {
  const [, factor = name, label] = /^([^[]+)\[(.*)\]$/.exec(name) ?? [];
  const levels = factors[factor] ?? [];
  const isNumeric = levels.every((level) => typeof level === 'number');
  const ordered = isNumeric ? [...levels].sort((a, b) => Number(a) - Number(b)) : levels;
  const labels = ordered.map(levelLabel);
  return { factor, from: labels[0] ?? 'its first level', to: label ?? labels.at(-1) ?? 'its last' };
}

/** Three digits that count. */
export const short = (value: number): string => String(Number(value.toPrecision(3)));

export const signed = (value: number): string => `${value < 0 ? '−' : '+'}${short(Math.abs(value))}`;
