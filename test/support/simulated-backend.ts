import type {
  BackendCapabilities,
  Cluster,
  ClusterBackend,
  ClusterName,
  Job,
  JobLog,
  Task,
} from '../../src/ports/cluster-backend.js';

/** A clock that moves only when somebody sleeps. */
export interface VirtualClock {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

export function virtualClock(start = 1_800_000_000_000): VirtualClock {
  let time = start;
  return {
    now: () => time,
    sleep: async (milliseconds) => {
      time += Math.max(1, Math.ceil(milliseconds));
    },
  };
}

export type BackendCall = 'offers' | 'launch' | 'clusters' | 'submit' | 'jobs' | 'logs' | 'cancel' | 'down';

export interface SimulatedOptions {
  readonly clock: VirtualClock;
  /** How many there are of one kind, where `kinds` does not say it. */
  readonly clusters: number;
  /** What the script of a job prints on that accelerator, and how long it runs. */
  readonly run: (
    task: Task,
    accelerators: string | null,
  ) => { readonly seconds: number; readonly log: string; readonly exitCode?: number };
  readonly capabilities?: Partial<BackendCapabilities>;
  readonly accelerators?: string;
  /** As a catalogue has it, of an offer and of a cluster; null: the infra has none. */
  readonly pricePerHourUsd?: number | null;
  /** How many there are of each kind. */
  readonly kinds?: Readonly<Record<string, number>>;
  /** False: offers do not say how many are free. */
  readonly counts?: boolean;
  /** Why a cluster has no machine yet, in the backend's words; null: it has one. */
  readonly waits?: (cluster: ClusterName) => string | null;
  /** Comes before each call that names something, with the clusters that it names: it may take its time, or throw. */
  readonly before?: (call: BackendCall, clusters: readonly ClusterName[]) => Promise<void> | void;
  readonly starter?: ClusterBackend['starter'];
}

interface SimulatedJob extends Job {
  readonly log: string;
}

/** Machines that exist on the clock only: for what takes hours, or needs sixteen GPUs. The real ones keep the same contract. */
export class SimulatedBackend implements ClusterBackend {
  readonly name = 'simulated';
  readonly capabilities: BackendCapabilities;
  readonly calls: Record<string, number> = {};
  readonly #clusters = new Map<ClusterName, { cluster: Cluster; jobs: SimulatedJob[] }>();

  constructor(private readonly options: SimulatedOptions) {
    // Every look asks every cluster, where a test does not say otherwise.
    this.capabilities = { choosesAccelerators: false, remembersJobs: false, pollMs: 1, ...options.capabilities };
  }

  async offers() {
    await this.options.before?.('offers', []);
    const { counts = true, pricePerHourUsd = null } = this.options;
    return Object.keys(this.#kinds).map((accelerators) => ({
      accelerators,
      infra: null,
      free: counts ? this.#free(accelerators) : null,
      pricePerHourUsd,
    }));
  }

  async launch(requests: Parameters<ClusterBackend['launch']>[0]) {
    await this.#before(
      'launch',
      requests.map(({ cluster }) => cluster),
    );
    return requests.map(({ cluster, accelerators, environment, idleMinutes }) => {
      const known = this.#clusters.get(cluster);
      const isChosen = this.capabilities.choosesAccelerators && accelerators.length > 0;
      const kinds = isChosen ? accelerators : Object.keys(this.#kinds);
      const kind = known?.cluster.accelerators ?? kinds.find((name) => this.#free(name) > 0);
      if (kind === undefined) {
        return { cluster, status: 'rejected' as const, reason: 'All simulated GPUs are taken.' };
      }
      const keys = new Set([...(known?.cluster.environmentKeys ?? []), environment.key]);
      this.#clusters.set(cluster, {
        jobs: known?.jobs ?? [],
        cluster: {
          name: cluster,
          status: 'UP',
          statusReason: null,
          accelerators: kind,
          hardware: 'simulated',
          pricePerHourUsd: this.options.pricePerHourUsd ?? null,
          environmentKeys: [...keys],
          idleMinutes,
        },
      });
      return { cluster, status: 'accepted' as const };
    });
  }

  async clusters(names: readonly ClusterName[]) {
    this.#count('clusters');
    await this.#before('clusters', names);
    return names.flatMap((name) => {
      const cluster = this.#clusters.get(name)?.cluster;
      const statusReason = this.options.waits?.(name) ?? null;
      if (!cluster || statusReason === null) return cluster ?? [];
      return { ...cluster, status: 'INIT' as const, statusReason, accelerators: null, hardware: null };
    });
  }

  async submit(cluster: ClusterName, tasks: readonly Task[]) {
    await this.#before('submit', [cluster]);
    const entry = this.#clusters.get(cluster);
    return tasks.map((task) => {
      if (!entry) return { name: task.name, status: 'rejected' as const, reason: `${cluster} is gone.` };
      const known = entry.jobs.find(({ name }) => name === task.name);
      if (known) return { name: task.name, status: 'submitted' as const, jobId: known.jobId };
      const { seconds, log, exitCode = 0 } = this.options.run(task, entry.cluster.accelerators);
      const now = this.options.clock.now();
      const startedAt = Math.max(now, ...entry.jobs.map(({ endedAt }) => endedAt ?? 0));
      const jobId = String(entry.jobs.length + 1);
      const endedAt = startedAt + seconds * 1000;
      const status = exitCode === 0 ? 'SUCCEEDED' : 'FAILED';
      entry.jobs.push({
        cluster,
        jobId,
        name: task.name,
        status,
        submittedAt: now,
        startedAt,
        endedAt,
        exitCode,
        timedOut: false,
        log,
      });
      return { name: task.name, status: 'submitted' as const, jobId };
    });
  }

  async jobs(clusters: readonly ClusterName[]) {
    if (clusters.length > 0) this.#count('jobs');
    await this.#before('jobs', clusters);
    return clusters.flatMap((name) => (this.#clusters.get(name)?.jobs ?? []).map((job) => this.#asOfNow(job)));
  }

  async logs(jobs: Parameters<ClusterBackend['logs']>[0]): Promise<JobLog[]> {
    if (jobs.length > 0) this.#count('logs');
    await this.#before(
      'logs',
      jobs.map(({ cluster }) => cluster),
    );
    return jobs.map(({ cluster, jobId }) => ({
      cluster,
      jobId,
      text: this.#clusters.get(cluster)?.jobs.find((job) => job.jobId === jobId)?.log ?? null,
    }));
  }

  async cancel(jobs: Parameters<ClusterBackend['cancel']>[0]) {
    await this.#before(
      'cancel',
      jobs.map(({ cluster }) => cluster),
    );
    const now = this.options.clock.now();
    for (const { cluster, jobId } of jobs) {
      const entry = this.#clusters.get(cluster);
      if (!entry) continue;
      const index = entry.jobs.findIndex((job) => job.jobId === jobId);
      const job = entry.jobs[index];
      if (!job || (job.endedAt ?? 0) <= now) continue;
      const startedAt = job.startedAt !== null && job.startedAt <= now ? job.startedAt : null;
      entry.jobs[index] = { ...job, status: 'CANCELLED', startedAt, endedAt: now };
      // What waited behind it moves up.
      let free = Math.max(now, ...entry.jobs.slice(0, index).map(({ endedAt }) => endedAt ?? 0));
      for (const [place, behind] of entry.jobs.entries()) {
        if (place <= index || behind.startedAt === null || behind.endedAt === null) continue;
        if (behind.endedAt <= now) continue;
        const endedAt = free + behind.endedAt - behind.startedAt;
        entry.jobs[place] = { ...behind, startedAt: free, endedAt };
        free = endedAt;
      }
    }
  }

  async starter() {
    return (await this.options.starter?.()) ?? null;
  }

  async down(clusters: readonly ClusterName[]) {
    await this.#before('down', clusters);
    for (const name of clusters) this.#clusters.delete(name);
  }

  #asOfNow({ log: _, ...job }: SimulatedJob): Job {
    const now = this.options.clock.now();
    if (job.endedAt !== null && job.endedAt <= now) return job;
    const isRunning = job.startedAt !== null && job.startedAt <= now;
    return {
      ...job,
      status: isRunning ? 'RUNNING' : 'PENDING',
      startedAt: isRunning ? job.startedAt : null,
      endedAt: null,
      exitCode: null,
    };
  }

  get #kinds(): Readonly<Record<string, number>> {
    const { kinds, accelerators = 'H100:1', clusters } = this.options;
    return kinds ?? { [accelerators]: clusters };
  }

  #free(kind: string): number {
    const taken = [...this.#clusters.values()].filter(({ cluster }) => cluster.accelerators === kind);
    return (this.#kinds[kind] ?? 0) - taken.length;
  }

  async #before(call: BackendCall, clusters: readonly ClusterName[]): Promise<void> {
    if (clusters.length > 0) await this.options.before?.(call, clusters);
  }

  #count(call: string): void {
    this.calls[call] = (this.calls[call] ?? 0) + 1;
  }
}

/** What our wrapper would have printed: the nonce and hash that stand in the task's own script. */
export function wrapperLine({ run }: Task): string {
  const nonce = /AUTORESEARCH_SNAPSHOT (\S+) /.exec(run)?.[1];
  const hash = /"\$\{hash%% \*\}" = ([0-9a-f]{64})/.exec(run)?.[1];
  return `AUTORESEARCH_SNAPSHOT ${nonce} ${hash}\n`;
}

/** A summary block as upstream's train.py prints it. */
export const summaryBlock = (valBpb: number | string): string => `Model config: {'n_layer': 8}
step 00001 (50.0%) | loss: 5.1 | remaining: 1s
---
val_bpb:          ${typeof valBpb === 'number' ? valBpb.toFixed(6) : valBpb}
training_seconds: 300.1
total_seconds:    325.9
peak_vram_mb:     45060.2
mfu_percent:      39.80
total_tokens_M:   499.6
num_steps:        953
num_params_M:     50.3
depth:            8
`;
