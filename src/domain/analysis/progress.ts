import { compareMetric, type Goal } from '../campaign.js';

/** What a wave came to, in the order of launch. */
export interface WaveOutcome {
  readonly name: string;
  /** Runs, those without a result among them. */
  readonly experiments: number;
  /** The best value of the wave, shrunk or adjusted if there is such; null: no result. */
  readonly best: number | null;
  /** null: no price is known. */
  readonly costUsd: number | null;
}

export interface Phase {
  /** First and last wave. */
  readonly from: string;
  readonly to: string;
  readonly experiments: number;
  /** Running best at its end, over this and all earlier waves; null: no result yet. */
  readonly best: number | null;
  /** What the running best gained, 0 or more, in the metric's unit; null where nothing was there to gain on. */
  readonly gain: number | null;
  readonly gainPerExperiment: number | null;
  readonly costUsd: number | null;
  readonly gainPerUsd: number | null;
}

export interface Start {
  readonly goal: Goal;
  /** The baseline's value before the first wave; null: the first wave has nothing to gain on. */
  readonly baseline: number | null;
}

/** What each phase gained: `size` waves in a row, the last phase perhaps fewer. With size 1, wave by wave. */
export function phasesOf(waves: readonly WaveOutcome[], size: number, { goal, baseline }: Start): Phase[] {
  const phases: Phase[] = [];
  let before = baseline;
  for (let at = 0; at < waves.length; at += size) {
    const members = waves.slice(at, at + size);
    const best = members.reduce((running, wave) => betterOf(goal, running, wave.best), before);
    const experiments = members.reduce((sum, wave) => sum + wave.experiments, 0);
    const costs = members.map(({ costUsd }) => costUsd);
    const costUsd = costs.reduce((sum, cost) => (sum === null || cost === null ? null : sum + cost), 0);
    const gain = best === null || before === null ? null : Math.abs(best - before);
    phases.push({
      from: members[0]?.name ?? '',
      to: members.at(-1)?.name ?? '',
      experiments,
      best,
      gain,
      gainPerExperiment: gain === null || experiments === 0 ? null : gain / experiments,
      costUsd,
      gainPerUsd: gain === null || costUsd === null || costUsd === 0 ? null : gain / costUsd,
    });
    before = best;
  }
  return phases;
}

function betterOf(goal: Goal, a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return compareMetric(goal, a, b) <= 0 ? a : b;
}
