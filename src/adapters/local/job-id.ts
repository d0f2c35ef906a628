import type { JobRef } from '../../ports/cluster-backend.js';
import type { ClusterFile } from './cluster-files.js';

/** The cluster's life is part of the id: a later cluster of that name has other jobs. */
export const jobIdOf = ({ incarnation }: ClusterFile, number: number): string => `${incarnation}-${number}`;

/** Null for a job of an earlier cluster of that name. */
export function jobNumber({ incarnation }: ClusterFile, { jobId }: JobRef): number | null {
  const [life, number] = jobId.split('-');
  return life === incarnation && /^\d+$/.test(number ?? '') ? Number(number) : null;
}
