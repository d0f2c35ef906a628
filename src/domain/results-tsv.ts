import { type Experiment, isSettled, metricOf } from './experiment.js';
import type { ExperimentId } from './ids.js';

/**
 * SkyPilot's column order: experiment_id, status, the metric, memory_gb, description. No result is an empty field, not
 * 0.000000, which would sort as the best run of all.
 */
export function resultsTsv(experiments: readonly Experiment[], metric: string, incumbent: ExperimentId | null): string {
  const rows = experiments
    .filter(({ state }) => isSettled(state))
    .map((experiment) => {
      const value = metricOf(experiment, metric);
      const memoryMb = experiment.metrics?.['peak_vram_mb'];
      return [
        experiment.id,
        statusOf(experiment, incumbent),
        value === null ? '' : value.toFixed(6),
        memoryMb === undefined ? '' : (memoryMb / 1024).toFixed(1),
        experiment.description.replace(/[\t\r\n]+/g, ' '),
      ].join('\t');
    });
  return `${[['experiment_id', 'status', metric, 'memory_gb', 'description'].join('\t'), ...rows].join('\n')}\n`;
}

/** The published words keep, discard and crash; nothing is kept but the incumbent while no decision is on record. */
function statusOf({ id, state }: Experiment, incumbent: ExperimentId | null): string {
  if (id === incumbent) return 'keep';
  return state === 'done' ? 'discard' : 'crash';
}
