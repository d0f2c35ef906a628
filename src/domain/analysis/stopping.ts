import { type Phase, phasesOf, type Start, type WaveOutcome } from './progress.js';

/** Waves below in a row before anything is said: one may be bad luck. */
const PATIENCE = 3;

export interface StoppingAdvice {
  /** Mean gain of the last three waves, in the metric's unit: what the next is expected to bring. null before a gain is known. */
  readonly expectedGain: number | null;
  /** max(δ_min, σ_w): less than this nobody needs, or can see. */
  readonly threshold: number;
  /** How many of the latest waves in a row gained less than the threshold. */
  readonly wavesBelow: number;
  /** What 0.001 of the metric cost over the last three waves; null without a gain or a price. */
  readonly usdPerThousandth: number | null;
  readonly shouldStop: boolean;
  readonly advice: string;
}

interface Ask extends Start {
  /** The smallest gain worth having, δ_min. */
  readonly leastGain: number;
  /** The noise floor σ_w; null: there is none yet. */
  readonly noiseSd: number | null;
}

/** Whether another wave is worth its price. */
export function stoppingAdvice(waves: readonly WaveOutcome[], ask: Ask): StoppingAdvice {
  const rows = phasesOf(waves, 1, ask);
  const threshold = Math.max(ask.leastGain, ask.noiseSd ?? 0);
  const gained = rows.filter(hasGain);
  const recent = gained.slice(-PATIENCE);
  const total = recent.reduce((sum, { gain }) => sum + gain, 0);
  const cost = recent.reduce<number | null>(
    (sum, { costUsd }) => (sum === null || costUsd === null ? null : sum + costUsd),
    0,
  );
  const expectedGain = recent.length === 0 ? null : total / recent.length;
  const lastAbove = gained.findLastIndex(({ gain }) => gain >= threshold);
  const wavesBelow = gained.length - 1 - lastAbove;
  const shouldStop = wavesBelow >= PATIENCE;
  const usdPerThousandth = total > 0 && cost !== null ? (cost / total) * 0.001 : null;
  return {
    expectedGain,
    threshold,
    wavesBelow,
    usdPerThousandth,
    shouldStop,
    advice: wordsFor({ expectedGain, threshold, wavesBelow, usdPerThousandth, shouldStop }),
  };
}

const hasGain = (phase: Phase): phase is Phase & { readonly gain: number } => phase.gain !== null;

function wordsFor(found: Omit<StoppingAdvice, 'advice'>): string {
  const { expectedGain, threshold, wavesBelow, usdPerThousandth, shouldStop } = found;
  if (expectedGain === null) return 'No wave has a gain to judge by yet.';
  const price = usdPerThousandth === null ? '' : `; 0.001 cost $${usdPerThousandth.toFixed(2)} of late`;
  const sums = `the next wave is expected to gain ${shown(expectedGain)}, against ${shown(threshold)} that would matter${price}`;
  if (shouldStop) return `Stop, or search elsewhere: ${wavesBelow} waves in a row gained too little; ${sums}.`;
  return wavesBelow === 0 ? `Go on: ${sums}.` : `Go on, ${wavesBelow} of ${PATIENCE} waves below: ${sums}.`;
}

const shown = (value: number): string => String(Number(value.toPrecision(2)));
