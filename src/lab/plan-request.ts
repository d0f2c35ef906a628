import type { ExperimentRequest } from '../domain/experiment.js';
import type { ClusterId } from '../domain/ids.js';
import type { Wave } from '../domain/wave.js';

export interface PlanRequest {
  readonly description: string;
  readonly kind: Wave['kind'];
  readonly factors: Wave['factors'];
  readonly requests: readonly ExperimentRequest[];
  /** Runs of each request. */
  readonly replicates: number;
  /** Any of these will do; empty: whatever there is. */
  readonly accelerators: readonly string[];
  /** This cluster and no other; null: the fleet, fastest finish first. */
  readonly cluster: ClusterId | null;
  /** Whether the unchanged base is added where the campaign has no run of it. */
  readonly withBaseline: boolean;
  /** Replicates of the incumbent beside them; null: two in a wave of eight runs or more; left out: none. */
  readonly sentinels?: number | null | undefined;
  /** Indices of the requests in the order in which they are to run; left out: as they are. */
  readonly runOrder?: readonly number[] | undefined;
}
