import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AutoresearchError } from '../../domain/errors.js';
import { ClusterName, JOB_STATUSES } from '../../ports/cluster-backend.js';
import { isMissing } from './lock.js';

/** What one cluster of this machine holds. */
export const Slot = z.strictObject({
  index: z.number().int().min(0),
  accelerators: z.string(),
  hardware: z.string(),
  /** What makes a job use this part of the machine: CUDA_VISIBLE_DEVICES, OMP_NUM_THREADS … */
  envs: z.record(z.string(), z.string()),
  gpus: z.number().int().min(0),
});
export type Slot = z.infer<typeof Slot>;

export const ClusterFile = z.strictObject({
  name: ClusterName,
  /** One life of a cluster of this name: a later one has other jobs. */
  incarnation: z.string(),
  slot: Slot,
  idleMinutes: z.number(),
});
export type ClusterFile = z.infer<typeof ClusterFile>;

export const RunnerFile = z.strictObject({ pid: z.number().int(), startedAt: z.string() });

/** `hasSetup` stands for the script beside it, which may be too long for a line of JSON or of a shell. */
export const EnvironmentFile = z.strictObject({
  key: z.string(),
  hasSetup: z.boolean(),
  envs: z.record(z.string(), z.string()),
});
export type EnvironmentFile = z.infer<typeof EnvironmentFile>;

export const TaskFile = z.strictObject({
  name: z.string(),
  environmentKey: z.string(),
  envs: z.record(z.string(), z.string()),
  timeoutSeconds: z.number(),
  submittedAt: z.number(),
});
export type TaskFile = z.infer<typeof TaskFile>;

export const JobStatusFile = z.strictObject({
  status: z.enum(JOB_STATUSES),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  exitCode: z.number().int().nullable(),
  timedOut: z.boolean(),
});
export type JobStatusFile = z.infer<typeof JobStatusFile>;

/** Null when there is no such file. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new AutoresearchError(
      'backend_failed',
      `${path} is not what a local cluster writes.`,
      'Call teardown for that cluster, then launch_wave again.',
      { cause: error },
    );
  }
}
