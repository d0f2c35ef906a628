import type { FleetCluster } from '../campaign.js';
import { type Experiment, metricOf } from '../experiment.js';
import type { Observation } from './main-effects.js';

/** One run with a result, and what it has in common with others: its configuration and the machine that it ran on. */
export interface BlockedObservation extends Observation {
  readonly experimentId: string;
  /** Equal for replicates, and for nothing else. */
  readonly config: string;
  /** Cluster × accelerator × its life from launch to down: what runs on it shares whatever that machine adds. */
  readonly block: string;
  readonly accelerators: string | null;
  /** Steps of training; null where the script does not print `num_steps`. */
  readonly numSteps: number | null;
}

export interface ObservedBy {
  /** Name of the metric whose value is analysed. */
  readonly metric: string;
  readonly blockOf: (experiment: Experiment) => string;
  /** By default the snapshot's hash: the same files are the same configuration. */
  readonly configOf?: (experiment: Experiment) => string;
}

/** Those that are done and have a finite value, in the order given. */
export function observationsOf(
  experiments: readonly Experiment[],
  { metric, blockOf, configOf = ({ snapshot }) => snapshot }: ObservedBy,
): BlockedObservation[] {
  return experiments.flatMap((experiment) => {
    const value = metricOf(experiment, metric);
    if (value === null || !Number.isFinite(value)) return [];
    const { id, accelerators, levels } = experiment;
    const [config, block, steps] = [configOf(experiment), blockOf(experiment), metricOf(experiment, 'num_steps')];
    const numSteps = steps !== null && steps > 0 ? steps : null;
    return [{ experimentId: id, config, block, accelerators, numSteps, levels, value }];
  });
}

type Life = Pick<FleetCluster, 'id' | 'launchedAt'>;

/** The block of an experiment: its cluster's last life that was launched before it started, and the accelerator. */
export function blocksOfFleet(fleet: readonly Life[]): (experiment: Experiment) => string {
  return ({ cluster, startedAt, accelerators }) => {
    const launches = fleet.flatMap(({ id, launchedAt }) =>
      id === cluster && launchedAt <= (startedAt ?? Number.POSITIVE_INFINITY) ? [launchedAt] : [],
    );
    const life = launches.length === 0 ? 'unknown' : Math.max(...launches);
    return `${cluster ?? 'no cluster'} @${life} ${accelerators ?? 'unknown'}`;
  };
}
