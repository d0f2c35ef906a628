import { type Experiment, isSettled } from '../domain/experiment.js';
import type { WaveId } from '../domain/ids.js';
import type { Lab } from './lab.js';

export type Patch = Partial<Experiment>;

/** Only what is still open in the store is changed: somebody may have cancelled it meanwhile. */
export async function patchExperiments(lab: Lab, patches: ReadonlyMap<Experiment, Patch>): Promise<void> {
  const changed = [...patches].filter(([experiment, patch]) =>
    Object.entries(patch).some(([key, value]) =>
      Object.entries(experiment).every(([k, v]) => k !== key || v !== value),
    ),
  );
  for (const waveId of new Set(changed.map(([experiment]): WaveId => experiment.waveId))) {
    await lab.store.updateWave(waveId, (wave) => {
      for (const [{ id }, patch] of changed) {
        const experiment = wave.experiments[id];
        if (!experiment || isSettled(experiment.state)) continue;
        Object.assign(experiment, patch);
        if (isSettled(experiment.state)) experiment.settledAt = lab.now();
      }
    });
  }
}

export const markCancelled = (lab: Lab, open: readonly Experiment[], note: string): Promise<void> =>
  patchExperiments(lab, new Map(open.map((run) => [run, { state: 'cancelled', note, endedAt: lab.now() }])));
