import { compareMetric, type Goal } from '../campaign.js';
import type { BlockedFit, ConfigEstimate } from './adjusted-values.js';
import { type Contrast, contrast } from './contrast.js';
import { tCdf, tQuantile } from './distributions.js';
import type { NoiseFloor } from './noise-floor.js';

/** win: better beyond doubt. loss: worse. tie: not worth more runs. retest: more runs would settle it. */
export const VERDICTS = ['win', 'tie', 'loss', 'retest'] as const;
export type Verdict = (typeof VERDICTS)[number];

/**
 * Chosen by simulated campaigns (`npm run bench -- truth`) with looks after every wave and 2 sentinels in each. On 800 with seeds that
 * had no part in the choice: 1.9 ± 0.1 % of the candidates without effect are ever called a win, 7.9 ± 0.4 % of the wins are false, and
 * 83 % of gains of 3.3 σ_w are found by 2 runs beside 2, halfway. At 0.985 those are 79 %, too few. Where noise is twice as large against
 * the gains to be found, more wins are false (12 %): `falseDiscoveries` is for that.
 */
export const WIN_PROBABILITY = 0.98;
/** Losing a candidate for good costs a gain; running a poor one again costs a run. */
export const LOSS_PROBABILITY = 0.05;
/** A single run is never a win, however low: runs can fail in ways that look like luck. */
export const WIN_MIN_RUNS = 2;
/** A difference that takes more pairs of runs than these is called a tie: they would buy more elsewhere. */
export const RETEST_MAX_RUNS = 4;

export interface Judgement {
  /** null without a noise floor: one lower value is not a win. */
  readonly verdict: Verdict | null;
  /** Adjusted value less the incumbent's, in the metric's unit: negative is better when the goal is to minimise. */
  readonly difference: number;
  /** null, as are df and pBetter, without a noise floor and where no common block, direct or through others, allows a comparison. */
  readonly standardError: number | null;
  readonly df: number | null;
  /** P that the candidate is truly better. */
  readonly pBetter: number | null;
  readonly n: number;
  readonly incumbentN: number;
  /** For retest only: further runs of the candidate, each beside one of the incumbent on the same block. */
  readonly replicates: number | null;
}

/** The verdict on a candidate: t = d / SE with the pooled degrees of freedom of `contrast`. Both must be of this fit. */
export function judge(fit: BlockedFit, candidate: ConfigEstimate, incumbent: ConfigEstimate, goal: Goal): Judgement {
  const difference = candidate.adjusted - incumbent.adjusted;
  const [n, incumbentN] = [candidate.n, incumbent.n];
  const compared = contrast(fit, candidate, incumbent);
  if (fit.noise === null || compared === null) {
    const [verdict, replicates] = fit.noise === null ? [null, null] : (['retest', WIN_MIN_RUNS] as const);
    return { verdict, difference, standardError: null, df: null, pBetter: null, n, incumbentN, replicates };
  }
  // The only place where the goal decides a sign: from here on, more is better.
  const gain = -compareMetric(goal, candidate.adjusted, incumbent.adjusted);
  const { standardError, df } = compared;
  const pBetter = tCdf(gain / standardError, df);
  const settled = { difference, standardError, df, pBetter, n, incumbentN, replicates: null };
  if (pBetter <= LOSS_PROBABILITY) return { ...settled, verdict: 'loss' };
  const missing = WIN_MIN_RUNS - Math.min(n, incumbentN);
  if (pBetter >= WIN_PROBABILITY) {
    return missing <= 0 ? { ...settled, verdict: 'win' } : { ...settled, verdict: 'retest', replicates: missing };
  }
  const replicates = replicatesToSettle(gain, compared, fit.noise);
  return replicates === null ? { ...settled, verdict: 'tie' } : { ...settled, verdict: 'retest', replicates };
}

/**
 * Pairs of runs, candidate and incumbent on one block, after which a gain that stays as estimated is a win. The k pairs estimate it with
 * variance 2σ_w²/k, whatever ran before with SE²; weighted by their precision the two give 1 / (1/SE² + k/2σ_w²). They add
 * 2(k − 1) degrees of freedom. null when more than `RETEST_MAX_RUNS` are needed.
 */
function replicatesToSettle(gain: number, { standardError }: Contrast, { sd, effectiveDf }: NoiseFloor): number | null {
  if (gain <= 0) return null;
  for (let k = 1; k <= RETEST_MAX_RUNS; k++) {
    const after = Math.sqrt(1 / (1 / standardError ** 2 + k / (2 * sd ** 2)));
    if (gain >= tQuantile(WIN_PROBABILITY, effectiveDf + 2 * (k - 1)) * after) return k;
  }
  return null;
}
