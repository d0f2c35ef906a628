import type { WaveFile } from '../wave.js';
import type { CampaignAnalysis } from './campaign-analysis.js';
import { type Effects, estimateEffects } from './effects.js';
import type { BlockedObservation } from './observations.js';
import { readingOf } from './reading.js';

/**
 * none: all ran on one machine, or nothing connects them. block_terms: a term for each machine, estimated with the effects.
 * offsets: what sentinels of the whole campaign show of each machine, taken out before.
 */
export type MachineTerms = 'none' | 'block_terms' | 'offsets';

export interface WaveEffects extends Effects {
  readonly waveId: string;
  readonly machines: MachineTerms;
}

/** Runs of the wave with a result. */
export function runsOfWave({ observations }: CampaignAnalysis, { experiments }: WaveFile): BlockedObservation[] {
  return observations.filter(({ experimentId }) => experimentId in experiments);
}

/**
 * Effects of a design's factors; null for a list, for a sweep (see its trends), and below two runs with a result. With a term for each
 * machine where that takes no effect away, for then the errors are exact; the incumbent's runs on these machines, of any wave, help
 * to tell the terms. Else, as where every point ran on a machine of its own, with the offsets taken out.
 */
export function effectsOfWave(analysis: CampaignAnalysis, file: WaveFile): WaveEffects | null {
  const runs = runsOfWave(analysis, file);
  const { wave } = file;
  if (wave.kind === 'list' || wave.kind === 'one_factor' || runs.length < 2) return null;
  const { comparable, noise, isAdjusted } = readingOf(analysis, runs);
  const rows = runs.map((run) => ({ levels: run.levels, value: comparable(run), block: null }));
  const plain = estimateEffects(rows, noise);
  const machines = new Set(runs.map(({ block }) => block));
  if (machines.size > 1) {
    const floor = analysis.noise && { sd: analysis.noise.sd, df: analysis.noise.effectiveDf };
    const blocked = estimateEffects([...runs, ...sentinelsBeside(analysis, file, machines)], floor);
    if (blocked.lost.length <= plain.lost.length && blocked.hasInteractions === plain.hasInteractions) {
      return { waveId: wave.id, machines: 'block_terms', ...blocked };
    }
  }
  return { waveId: wave.id, machines: isAdjusted ? 'offsets' : 'none', ...plain };
}

/** The incumbent's runs of other waves on these machines; at no level of any factor. */
function sentinelsBeside(
  { observations, incumbent }: CampaignAnalysis,
  { experiments }: WaveFile,
  machines: ReadonlySet<string>,
): BlockedObservation[] {
  return observations
    .filter(
      ({ config, block, experimentId }) =>
        config === incumbent?.estimate.config && machines.has(block) && !(experimentId in experiments),
    )
    .map((run) => ({ ...run, levels: {} }));
}
