import { z } from 'zod';

/** A cluster as its backend knows it: `gpu-01-3fa9c1`, the campaign's mark behind the agent's word. */
export const ClusterName = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, 'Expected lower-case letters, digits and dashes')
  .brand<'ClusterName'>();
export type ClusterName = z.infer<typeof ClusterName>;

/** SkyPilot's words. */
export const CLUSTER_STATUSES = ['INIT', 'UP', 'STOPPED'] as const;
export type ClusterStatus = (typeof CLUSTER_STATUSES)[number];

/** SkyPilot's words; the last four are final. */
export const JOB_STATUSES = [
  'PENDING',
  'SETTING_UP',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'FAILED_SETUP',
  'CANCELLED',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

const FINAL_JOB_STATUSES: readonly JobStatus[] = ['SUCCEEDED', 'FAILED', 'FAILED_SETUP', 'CANCELLED'];
export const isFinalJobStatus = (status: JobStatus): boolean => FINAL_JOB_STATUSES.includes(status);

/** What could be launched now. `free` null: the infra does not say, or has no bound. */
export interface Offer {
  /** SkyPilot's spelling, `H100:1`. On this machine `CPU:2` is two threads. */
  readonly accelerators: string;
  readonly infra: string | null;
  readonly free: number | null;
  readonly pricePerHourUsd: number | null;
}

/**
 * Where jobs run: the unchanged base and what `setup` makes beside it. `key` names its content (setup, envs, files that
 * setup may read): equal keys may share one, another key on the same cluster is prepared before its first job.
 */
export interface Environment {
  readonly key: string;
  /** Absolute path of a folder on this machine that holds the base's files and nothing else. */
  readonly workdir: string;
  /** Shell (bash) that runs once a cluster and key, in the environment's working directory; null: nothing to do. */
  readonly setup: string | null;
  readonly envs: Readonly<Record<string, string>>;
  /** `resources` of the task as written, for the backend that understands it. */
  readonly resources: Readonly<Record<string, unknown>>;
}

export interface LaunchRequest {
  readonly cluster: ClusterName;
  /** Any of these will do, in this order of preference; empty: what the machine has. */
  readonly accelerators: readonly string[];
  readonly infra: string | null;
  readonly environment: Environment;
  /** Autodown is always on: minutes with an empty queue after which the cluster ends by itself. */
  readonly idleMinutes: number;
}

export type Launch =
  | { readonly cluster: ClusterName; readonly status: 'accepted' }
  | { readonly cluster: ClusterName; readonly status: 'rejected'; readonly reason: string };

export interface Cluster {
  readonly name: ClusterName;
  readonly status: ClusterStatus;
  /** Why it is INIT or how it failed, in the backend's words; null when there is nothing to say. */
  readonly statusReason: string | null;
  /** What it really is, `H200:1` or `CPU:1`; null while nobody knows. */
  readonly accelerators: string | null;
  /** Host and device as precisely as known, e.g. `node7 NVIDIA H100 80GB HBM3`. */
  readonly hardware: string | null;
  readonly pricePerHourUsd: number | null;
  /** Environments whose setup has been asked for on this cluster, by key. */
  readonly environmentKeys: readonly string[];
  readonly idleMinutes: number;
}

export interface Task {
  /** Made from the plan, unique within the campaign: a restart finds its jobs by it. */
  readonly name: string;
  readonly environmentKey: string;
  /** Shell (bash), started in the environment's working directory. */
  readonly run: string;
  readonly envs: Readonly<Record<string, string>>;
  /** Counted from the start of `run`; the job's whole process group ends with it. */
  readonly timeoutSeconds: number;
}

export type Submission =
  | { readonly name: string; readonly status: 'submitted'; readonly jobId: string }
  | { readonly name: string; readonly status: 'rejected'; readonly reason: string };

export interface Job {
  readonly cluster: ClusterName;
  readonly jobId: string;
  readonly name: string;
  readonly status: JobStatus;
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly exitCode: number | null;
  /** True when the backend ended it at `timeoutSeconds`; its status is then FAILED. */
  readonly timedOut: boolean;
}

export interface JobRef {
  readonly cluster: ClusterName;
  readonly jobId: string;
}

export interface JobLog extends JobRef {
  /** stdout and stderr in one, first 64 KB and last 4 MB at most; null when there is none: the cluster is gone, or the job never ran. */
  readonly text: string | null;
}

export interface Starter {
  /** As a person would type it. */
  readonly command: string;
  run(): Promise<void>;
}

export interface BackendCapabilities {
  /** False: the machine is what it is, `accelerators` of a launch is taken as a wish. */
  readonly choosesAccelerators: boolean;
  /** True: results of a cluster that ended unwatched can still be read, until its name is launched again or down. */
  readonly remembersJobs: boolean;
  /** Shortest sensible time between two looks at the same clusters. */
  readonly pollMs: number;
}

/**
 * The machines. Calls are plural: a wave costs one round trip, not one a job. A call throws when it failed as a whole
 * (`backend_failed`, with the backend's own words; `backend_down` when it does not answer at all); one item of many that failed is data (`rejected`).
 *
 * - Clusters and jobs live on when the process that asked for them dies, and any later one finds them by name.
 * - Nothing but the clusters named in a call is ever touched.
 * - A cluster runs its jobs one at a time, first in, first out, each as a process group of its own, of which nothing is
 *   left when it has ended, was cancelled, timed out or its cluster went down.
 */
export interface ClusterBackend {
  readonly name: string;
  readonly capabilities: BackendCapabilities;

  /** What could be launched now, the best first; launches that were accepted have taken theirs. */
  offers(): Promise<Offer[]>;

  /**
   * Asks for clusters and returns at once; `clusters` tells when they are UP. Asking again for a cluster that exists only
   * adds the environment, if its key is new there. No capacity is `rejected` where it is known at once.
   */
  launch(requests: readonly LaunchRequest[]): Promise<Launch[]>;

  /** Those of the named that exist. One that went down, died or was lost is left out. */
  clusters(names: readonly ClusterName[]): Promise<Cluster[]>;

  /**
   * Appends to the queue of a cluster that is UP, behind what stands there; tasks of one call may change places among themselves.
   * Idempotent by name: a task whose name the queue has seen is answered with its job and not run again. A refused task is
   * `rejected` and never fails its neighbours.
   */
  submit(cluster: ClusterName, tasks: readonly Task[]): Promise<Submission[]>;

  /**
   * All jobs of the named clusters, ended ones too, in order of submission. Clusters that do not exist are left out; of one
   * that ended by itself or died, the jobs that had ended are told for as long as the backend has them (`remembersJobs`).
   */
  jobs(clusters: readonly ClusterName[]): Promise<Job[]>;

  /** One log for each job asked for, in that order. Works while the job runs, and for whatever `jobs` tells. */
  logs(jobs: readonly JobRef[]): Promise<JobLog[]>;

  /** Idempotent: silent about jobs that have ended or never were. A running job's process group is gone on return. */
  cancel(jobs: readonly JobRef[]): Promise<void>;

  /** How what it needs could be started on this machine, after a call failed with `backend_down`; null, or absent: it cannot. */
  starter?(): Promise<Starter | null>;

  /** Idempotent: silent about clusters that are gone. Running jobs are CANCELLED, queued ones never run; nothing is left. */
  down(clusters: readonly ClusterName[]): Promise<void>;
}
