import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AutoresearchError } from '../../domain/errors.js';
import { isFinalJobStatus, type JobRef } from '../../ports/cluster-backend.js';
import { eventually, findLive } from './bury.js';
import { cancelItem, inboxOf, numbersOf } from './cluster-folder.js';
import { jobNumber } from './job-id.js';
import { isMissing } from './lock.js';
import type { ClusterReader } from './reader.js';

/** More than the grace of a job and the time until one that is stuck in a driver is given up. */
const CANCEL_MS = 15_000;

export async function cancel(directory: string, reader: ClusterReader, job: JobRef): Promise<void> {
  const cluster = await findLive(directory, reader, job.cluster);
  const number = cluster && jobNumber(cluster.file, job);
  if (!cluster || number === null) return;
  const hasEnded = async (): Promise<boolean> => {
    const status = await reader.status(cluster, number);
    return status !== null && isFinalJobStatus(status.status);
  };
  try {
    const exists = numbersOf('task', await reader.items(cluster)).includes(number);
    if (!exists || (await hasEnded())) return;
    await writeFile(join(inboxOf(cluster.folder), cancelItem(number)), '');
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  const isOver = async (): Promise<boolean> =>
    (await hasEnded()) ||
    (await findLive(directory, reader, job.cluster))?.file.incarnation !== cluster.file.incarnation;
  if (await eventually(isOver, CANCEL_MS)) return;
  throw new AutoresearchError(
    'backend_failed',
    `Job ${job.jobId} of ${job.cluster} did not end within ${CANCEL_MS / 1000} s of being cancelled.`,
    'Call teardown for that cluster: it ends all that runs there.',
  );
}
