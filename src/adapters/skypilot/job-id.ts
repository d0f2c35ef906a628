import type { ClusterMemory } from './memory.js';

/**
 * SkyPilot counts the jobs of each cluster from 1, and a name that is launched again starts anew. So an id carries the life
 * of the cluster that it belongs to: job 2 of before is not job 2 of now.
 */
export const jobIdOf = (memory: ClusterMemory, number: number): string => `${lifeOf(memory)}.${number}`;

/** SkyPilot's number; null: a job of another life of this cluster, or none of ours. */
export function jobNumberOf(memory: ClusterMemory, jobId: string): number | null {
  const [life, number] = jobId.split('.');
  return life === lifeOf(memory) && number !== undefined && /^\d+$/.test(number) ? Number(number) : null;
}

const lifeOf = ({ launches }: ClusterMemory): string => launches[0]?.requestId.slice(0, 8) ?? 'unknown';
