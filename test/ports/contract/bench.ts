import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  type ClusterBackend,
  ClusterName,
  type Environment,
  isFinalJobStatus,
  type Job,
  type JobStatus,
  type LaunchRequest,
  type Task,
} from '../../../src/ports/cluster-backend.js';

export interface BackendUnderTest {
  /** A second call is a later process: it knows only what the first left on the machines. */
  readonly create: () => Promise<ClusterBackend>;
  /** How many times slower than this machine's own processes it may be. */
  readonly scale?: number;
  /** Between two looks: each of SkyPilot's starts a Python on the cluster, which would get in the way of what is waited for. */
  readonly lookMs?: number;
  /** How often a promise is tested again when it did not hold: machines that are shared fail a launch now and then. */
  readonly retries?: number;
  /** Whether promises may be tested side by side, each on machines of its own. */
  readonly isConcurrent?: boolean;
  /** What a launch must say for this backend: accelerators, infra. */
  readonly request?: Partial<Pick<LaunchRequest, 'accelerators' | 'infra'>>;
}

/** Long enough for a busy machine; a promise that is kept does not wait for it. */
const PATIENCE_MS = 15_000;

/** What a test of the contract works with: a backend, clusters that are gone after the test, and words for both. */
export class Bench {
  private readonly used = new Set<ClusterName>();
  private readonly folders: string[] = [];

  private constructor(
    readonly backend: ClusterBackend,
    private readonly subject: BackendUnderTest,
  ) {}

  static async open(subject: BackendUnderTest): Promise<Bench> {
    return new Bench(await subject.create(), subject);
  }

  async close(): Promise<void> {
    await this.backend.down([...this.used]);
    await Promise.all(this.folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }

  laterProcess(): Promise<ClusterBackend> {
    return this.subject.create();
  }

  seconds(count: number): number {
    return count * 1000 * (this.subject.scale ?? 1);
  }

  name(): ClusterName {
    const name = ClusterName.parse(`contract-${randomBytes(4).toString('hex')}`);
    this.used.add(name);
    return name;
  }

  async environment(wanted: Partial<Environment> = {}, files: Record<string, string> = {}): Promise<Environment> {
    const workdir = await mkdtemp(join(tmpdir(), 'contract-'));
    this.folders.push(workdir);
    for (const [path, text] of Object.entries({ 'base.txt': 'the base\n', ...files })) {
      await mkdir(join(workdir, path, '..'), { recursive: true });
      await writeFile(join(workdir, path), text);
    }
    return { key: 'first', workdir, setup: null, envs: {}, resources: {}, ...wanted };
  }

  request(cluster: ClusterName, environment: Environment, idleMinutes = 10): LaunchRequest {
    return { cluster, accelerators: [], infra: null, environment, idleMinutes, ...this.subject.request };
  }

  /** Launched and UP. */
  async cluster(environment?: Environment, idleMinutes = 10): Promise<ClusterName> {
    const cluster = this.name();
    const [launch] = await this.backend.launch([
      this.request(cluster, environment ?? (await this.environment()), idleMinutes),
    ]);
    expect(launch).toEqual({ cluster, status: 'accepted' });
    await this.until(async () => {
      const [found] = await this.backend.clusters([cluster]);
      if (found?.status === 'STOPPED') throw new Error(`It never came up: ${found.statusReason}`);
      return found?.status === 'UP';
    });
    return cluster;
  }

  task(name: string, run: string, wanted: Partial<Task> = {}): Task {
    return { name, environmentKey: 'first', run, envs: {}, timeoutSeconds: this.seconds(60) / 1000, ...wanted };
  }

  /** Submits one after the other, in this order, and gives the jobs' ids; a task that is rejected fails the test. */
  async submit(cluster: ClusterName, ...tasks: Task[]): Promise<string[]> {
    const jobIds: string[] = [];
    for (const task of tasks) {
      const [submission] = await this.backend.submit(cluster, [task]);
      if (submission?.status !== 'submitted') throw new Error(`${task.name}: ${submission?.reason ?? 'no answer'}`);
      jobIds.push(submission.jobId);
    }
    return jobIds;
  }

  /** The jobs of the cluster once all have ended. */
  async ended(cluster: ClusterName): Promise<Job[]> {
    let jobs: Job[] = [];
    await this.until(async () => {
      jobs = await this.backend.jobs([cluster]);
      return jobs.length > 0 && jobs.every(({ status }) => isFinalJobStatus(status));
    });
    return jobs;
  }

  async reaches(cluster: ClusterName, jobId: string, status: JobStatus): Promise<void> {
    await this.until(async () =>
      (await this.backend.jobs([cluster])).some((job) => job.jobId === jobId && job.status === status),
    );
  }

  async log(cluster: ClusterName, jobId: string): Promise<string> {
    const [log] = await this.backend.logs([{ cluster, jobId }]);
    return log?.text ?? '';
  }

  /** What a script prints, run as the next job of a cluster. */
  async output(cluster: ClusterName, run: string): Promise<string> {
    const [jobId = ''] = await this.submit(cluster, this.task(`output-${randomBytes(4).toString('hex')}`, run));
    await this.ended(cluster);
    return await this.log(cluster, jobId);
  }

  /** Waits for `NAME=123` in a job's log. */
  async number(cluster: ClusterName, jobId: string, name: string): Promise<number> {
    let found: RegExpExecArray | null = null;
    await this.until(async () => {
      found = new RegExp(`${name}=(\\d+)`).exec(await this.log(cluster, jobId));
      return found !== null;
    });
    return Number(found?.[1]);
  }

  /** Whether processes live, seen from a cluster on their host; a zombie does not. */
  async alive(cluster: ClusterName, pids: readonly number[]): Promise<number[]> {
    const looks = pids.map((pid) => `case "$(ps -o stat= -p ${pid})" in '' | Z*) ;; *) echo "alive=${pid}" ;; esac`);
    const text = await this.output(cluster, looks.join('\n'));
    return [...text.matchAll(/alive=(\d+)/g)].map(([, pid]) => Number(pid));
  }

  async until(condition: () => Promise<boolean>): Promise<void> {
    const startedAt = Date.now();
    while (!(await condition())) {
      const waitedMs = Date.now() - startedAt;
      if (waitedMs > PATIENCE_MS * (this.subject.scale ?? 1)) throw new Error(`Still not so after ${waitedMs} ms`);
      await sleep(this.subject.lookMs ?? 20);
    }
  }
}

export type Promises = Readonly<Record<string, (bench: Bench) => Promise<void>>>;
