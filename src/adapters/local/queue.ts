import type { EnvironmentFile, JobStatusFile, TaskFile } from './cluster-files.js';
import { jobStatusFile } from './cluster-folder.js';
import type { News } from './inbox.js';
import type { StateWriter } from './state-writer.js';

export interface Waiting {
  readonly number: number;
  readonly task: TaskFile;
}

export type Readiness = 'unprepared' | 'ready' | 'failed';

const NOT_STARTED: JobStatusFile = {
  status: 'PENDING',
  startedAt: null,
  endedAt: null,
  exitCode: null,
  timedOut: false,
};

export interface Queue {
  /** Takes in what came; jobs that wait and were cancelled end here. */
  take(news: News): void;
  head(): Waiting | null;
  /** Takes the head off the queue. */
  shift(): void;
  /** An environment that the head waits for or, with nothing waiting, that nobody has prepared yet. */
  toPrepare(): EnvironmentFile | null;
  /** `key` is being prepared, with what outcome; the head says so while it waits for it. */
  preparing(key: string | null): void;
  settle(key: string, readiness: Readiness): void;
  environmentOf(task: TaskFile): EnvironmentFile;
  record(number: number, status: Partial<JobStatusFile>): void;
}

/** Who waits for what. It starts nothing and writes only the jobs' states. */
export function createQueue(folder: string, writer: StateWriter): Queue {
  const environments = new Map<string, EnvironmentFile>();
  const readiness = new Map<string, Readiness>();
  let waiting: Waiting[] = [];
  let inPreparation: string | null = null;
  let settingUp: number | null = null;

  function save(number: number, status: Partial<JobStatusFile>): void {
    writer.save(jobStatusFile(folder, number), { ...NOT_STARTED, ...status });
  }

  function tellHead(): void {
    const head = waiting[0];
    if (!head || head.number === settingUp || head.task.environmentKey !== inPreparation) return;
    settingUp = head.number;
    save(head.number, { status: 'SETTING_UP' });
  }

  return {
    take({ environments: added, tasks, cancelled }) {
      for (const environment of added) {
        environments.set(environment.key, environment);
        readiness.set(environment.key, environment.hasSetup ? 'unprepared' : 'ready');
      }
      waiting.push(...tasks);
      const ended = waiting.filter(({ number }) => cancelled.includes(number));
      waiting = waiting.filter((job) => !ended.includes(job));
      for (const { number } of ended) save(number, { status: 'CANCELLED', endedAt: Date.now() });
      tellHead();
    },
    head: () => waiting[0] ?? null,
    shift() {
      waiting.shift();
    },
    toPrepare() {
      const head = waiting[0];
      const key = head ? head.task.environmentKey : [...readiness].find(([, state]) => state === 'unprepared')?.[0];
      if (key === undefined || readiness.get(key) === 'ready') return null;
      return environments.get(key) ?? null;
    },
    preparing(key) {
      inPreparation = key;
      tellHead();
    },
    settle(key, state) {
      readiness.set(key, state);
    },
    environmentOf(task) {
      const environment = environments.get(task.environmentKey);
      if (!environment) throw new Error(`No environment ${task.environmentKey} for task ${task.name}`);
      return environment;
    },
    record: save,
  };
}
