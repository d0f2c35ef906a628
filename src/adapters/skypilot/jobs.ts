import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ClusterName, Job, JobLog, JobRef } from '../../ports/cluster-backend.js';
import { jobIdOf, jobNumberOf } from './job-id.js';
import { type JobEnd, jobEnd, jobText } from './job-log.js';
import type { Memory } from './memory.js';
import { JobRecord } from './schemas.js';
import { type SkyApi, SkyError } from './sky-api.js';
import { SETUP_JOB } from './task-yaml.js';
import { jobStatusOf } from './words.js';

/** Lines in which a failed job's wrapper has said how it ended, SkyPilot's own after them included. */
const LAST_LINES = 30;

/** A log that is cut off, because the way to the cluster was for a moment, is asked for again so often, after such a pause. */
const LOG_TRIES = 3;
const LOG_PAUSE_MS = 1000;

/** All jobs of a cluster, in order of submission, setup's too. */
export async function queueOf(api: SkyApi, cluster: ClusterName): Promise<JobRecord[]> {
  const records = await api.call('/queue', { cluster_name: cluster, skip_finished: false }, z.array(JobRecord));
  return records.toSorted((a, b) => a.job_id - b.job_id);
}

export interface JobReader {
  jobs(cluster: ClusterName): Promise<Job[]>;
  log(job: JobRef): Promise<JobLog>;
}

export function createJobReader(api: SkyApi, memory: Memory): JobReader {
  /** How failed jobs ended: their log's last lines are asked for once, for that takes SkyPilot seconds. */
  const ends = new Map<string, JobEnd>();
  /** Jobs that SkyPilot said to have ended well: their log is whole once our wrapper's last line stands in it. */
  const succeeded = new Set<string>();

  const textOf = async (cluster: ClusterName, job_id: number, tail: number): Promise<string | null> => {
    const pieces = api.stream('/logs', { cluster_name: cluster, job_id, follow: false, tail });
    return await jobText(pieces).catch((error: unknown) => {
      if (error instanceof SkyError) return null;
      throw error;
    });
  };

  const endOf = async (cluster: ClusterName, jobId: string, number: number): Promise<JobEnd> => {
    const known = ends.get(`${cluster} ${jobId}`);
    if (known) return known;
    const end = jobEnd((await textOf(cluster, number, LAST_LINES)) ?? '');
    ends.set(`${cluster} ${jobId}`, end);
    return end;
  };

  return {
    async jobs(cluster) {
      const known = await memory.read(cluster);
      const queue = await queueOf(api, cluster);
      const isInSetup = queue.some((record) => record.job_name === SETUP_JOB && record.status === 'RUNNING');
      const ours = queue.filter(({ job_name }) => job_name !== SETUP_JOB);
      const next = ours.find(({ status }) => jobStatusOf(status) === 'PENDING');
      return await Promise.all(
        ours.map(async (record) => {
          const jobId = jobIdOf(known, record.job_id);
          const status = jobStatusOf(record.status);
          if (status === 'SUCCEEDED') succeeded.add(`${cluster} ${jobId}`);
          const end = status === 'FAILED' ? await endOf(cluster, jobId, record.job_id) : null;
          return {
            cluster,
            jobId,
            name: record.job_name,
            // Setup runs as a job of its own; the one that it is for waits behind it.
            status: end?.setupFailed ? 'FAILED_SETUP' : isInSetup && record === next ? 'SETTING_UP' : status,
            submittedAt: Math.round(record.submitted_at * 1000),
            startedAt: milliseconds(record.start_at),
            endedAt: milliseconds(record.end_at),
            exitCode: status === 'SUCCEEDED' ? 0 : (end?.exitCode ?? null),
            timedOut: end?.timedOut ?? false,
          };
        }),
      );
    },

    async log({ cluster, jobId }) {
      const number = jobNumberOf(await memory.read(cluster), jobId);
      if (number === null) return { cluster, jobId, text: null };
      for (let tries = 1; ; tries++) {
        const text = await textOf(cluster, number, 0);
        if (!succeeded.has(`${cluster} ${jobId}`) || jobEnd(text ?? '').exitCode !== null)
          return { cluster, jobId, text };
        if (tries === LOG_TRIES) return { cluster, jobId, text: null };
        await sleep(LOG_PAUSE_MS);
      }
    },
  };
}

const milliseconds = (seconds: number | null | undefined): number | null =>
  seconds === null || seconds === undefined ? null : Math.round(seconds * 1000);
