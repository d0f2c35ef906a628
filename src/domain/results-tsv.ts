import { type Experiment, isSettled, metricOf } from './experiment.js';
import type { ExperimentId } from './ids.js';

/**
 * SkyPilot's column order: experiment_id, status, the metric, memory_gb, description. No result is an empty field, not
 * 0.000000, which would sort as the best run of all.
 */
export function resultsTsv(experiments: readonly Experiment[], metric: string, incumbent: ExperimentId | null): string {
  const firstBase = experiments.find((run) => run.isBaseline && metricOf(run, metric) !== null)?.id;
  const rows = experiments
    .filter(({ state }) => isSettled(state))
    .map((experiment) => {
      const value = metricOf(experiment, metric);
      const memoryMb = experiment.metrics?.['peak_vram_mb'];
      return [
        experiment.id,
        statusOf(experiment, [incumbent, firstBase]),
        value === null ? '' : value.toFixed(6),
        memoryMb === undefined ? '' : (memoryMb / 1024).toFixed(1),
        experiment.description.replace(/[\t\r\n]+/g, ' '),
      ].join('\t');
    });
  return `${[['experiment_id', 'status', metric, 'memory_gb', 'description'].join('\t'), ...rows].join('\n')}\n`;
}

/**
 * The published words keep, discard and crash. Without a decision only the incumbent counts as kept, and the base that the campaign
 * began with.
 */
function statusOf({ id, state, decision }: Experiment, kept: readonly (ExperimentId | null | undefined)[]): string {
  if (state !== 'done') return 'crash';
  return decision?.kind ?? (kept.includes(id) ? 'keep' : 'discard');
}
