import { AutoresearchError } from '../../domain/errors.js';
import type { ClusterStatus, JobStatus } from '../../ports/cluster-backend.js';

const JOB_STATUS_OF = new Map<string, JobStatus>([
  ['INIT', 'PENDING'],
  ['PENDING', 'PENDING'],
  ['SETTING_UP', 'SETTING_UP'],
  ['RUNNING', 'RUNNING'],
  ['SUCCEEDED', 'SUCCEEDED'],
  ['FAILED', 'FAILED'],
  ['FAILED_DRIVER', 'FAILED'],
  ['FAILED_SETUP', 'FAILED_SETUP'],
  ['CANCELLED', 'CANCELLED'],
]);

const CLUSTER_STATUS_OF = new Map<string, ClusterStatus>([
  ['INIT', 'INIT'],
  ['PENDING', 'INIT'],
  ['UP', 'UP'],
  ['STOPPED', 'STOPPED'],
  ['AUTOSTOPPING', 'UP'],
]);

export const jobStatusOf = (word: string): JobStatus => known(JOB_STATUS_OF, word, 'job');
export const clusterStatusOf = (word: string): ClusterStatus => known(CLUSTER_STATUS_OF, word, 'cluster');

/** A word that we do not know is an error, not a guess. */
function known<T>(words: ReadonlyMap<string, T>, word: string, what: string): T {
  const status = words.get(word);
  if (status !== undefined) return status;
  throw new AutoresearchError(
    'backend_failed',
    `SkyPilot says that a ${what} is ${word}, a status that this version does not know.`,
    `Known: ${[...words.keys()].join(', ')}. Is a newer autoresearch-mcp available?`,
  );
}

/** $/h of the catalogue. Where it has no price it says 0: nobody rents for nothing. */
export const priceIn = (price: number | null): number | null => (price === null || price <= 0 ? null : price);

/** `{'H100': 1}` is H100:1; several kinds are joined by commas, none is null. */
export function acceleratorsOf(pythonDict: string | null | undefined): string | null {
  const pairs = [...(pythonDict ?? '').matchAll(/'([^']+)':\s*([\d.]+)/g)].map(
    ([, name, count]) => `${name}:${Number(count)}`,
  );
  return pairs.length > 0 ? pairs.join(',') : null;
}
