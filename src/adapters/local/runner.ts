import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ClusterFile, EnvironmentFile } from './cluster-files.js';
import {
  clusterFile,
  environmentFolder,
  environmentsOf,
  jobLog,
  lockOf,
  markerPrefix,
  processFile,
  rememberedName,
  setupLog,
  statusReasonFile,
} from './cluster-folder.js';
import { createInbox, type News } from './inbox.js';
import { isMissing, withLock } from './lock.js';
import { isSuccess, prepareEnvironment } from './prepare-environment.js';
import { endProcesses } from './process-group.js';
import { identify } from './process-identity.js';
import type { ProcessRun } from './process-run.js';
import { createQueue, type Waiting } from './queue.js';
import { startTask, statusAfter } from './run-task.js';
import { createStateWriter } from './state-writer.js';

/**
 * One cluster: a process of its own, with a queue on disk and one slot, that lives on when the server that launched it dies.
 * Sixteen of them share a machine with the training, so it loads Node's own modules only and sleeps between events.
 */
const [folder = '', incarnation = ''] = process.argv.slice(2);
const cluster: ClusterFile = JSON.parse(readFileSync(clusterFile(folder), 'utf8'));
const idleMs = cluster.idleMinutes * 60_000;
const inbox = createInbox(folder);
const writer = createStateWriter();
const queue = createQueue(folder, writer);

/** What runs in the slot: the job of that number, or a setup. */
let current: { readonly number: number | null; readonly run: ProcessRun } | null = null;
let goingDown = false;
let idleSince = Date.now();
let wake = (): void => {};

/** Called whenever something may have been asked for, while a job runs too. */
function tend(): void {
  writer.flush();
  const news = look();
  if (news === null || news.down) goingDown = true;
  else queue.take(news);
  if (news && news.environments.length > 0) idleSince = Date.now();
  if (goingDown || (news && current?.number != null && news.cancelled.includes(current.number))) current?.run.stop();
  wake();
}

/** Null when somebody removed the folder: without it there is no cluster. */
function look(): News | null {
  try {
    return inbox.look();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function occupy(number: number | null, run: ProcessRun): void {
  current = { number, run };
  writer.save(processFile(folder), run.pid === null ? null : identify(run.pid));
  if (goingDown) run.stop();
}

function vacate(): void {
  current = null;
  idleSince = Date.now();
}

async function prepare(environment: EnvironmentFile): Promise<void> {
  const { key } = environment;
  queue.preparing(key);
  writer.save(statusReasonFile(folder), `Environment ${key} is being set up.`);
  const ending = await prepareEnvironment({ folder, cluster, environment }, (run) => occupy(null, run));
  vacate();
  queue.preparing(null);
  queue.settle(key, isSuccess(ending) ? 'ready' : 'failed');
  const failure = `The setup of environment ${key} ${ending.reason === 'timed_out' ? 'took too long' : `failed with exit code ${ending.exitCode}`}.`;
  writer.save(statusReasonFile(folder), isSuccess(ending) ? '' : failure);
  const head = queue.head();
  if (isSuccess(ending) || head?.task.environmentKey !== key) return;
  queue.shift();
  writer.save(jobLog(folder, head.number), `${failure} It said:\n${tailOf(setupLog(environmentFolder(folder, key)))}`);
  queue.record(head.number, { status: 'FAILED_SETUP', endedAt: ending.endedAt, exitCode: ending.exitCode });
}

async function run(job: Waiting): Promise<void> {
  queue.shift();
  const started = startTask(folder, cluster, queue.environmentOf(job.task), job);
  queue.record(job.number, { status: 'RUNNING', startedAt: started.startedAt });
  occupy(job.number, started);
  const ending = await started.ended;
  queue.record(job.number, statusAfter(ending, started.startedAt));
  vacate();
}

async function untilNews(): Promise<void> {
  const untilIdle = Math.max(0, idleSince + idleMs - Date.now());
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    wake = resolve;
    timer = setTimeout(resolve, Math.min(untilIdle, 60_000));
  });
  clearTimeout(timer);
}

/** Under the lock that every submission takes: what came before is run, what comes later finds no cluster. */
async function retireIfIdle(): Promise<boolean> {
  if (Date.now() < idleSince + idleMs) return false;
  return await leaveIf(() => {
    tend();
    return !queue.head() && !queue.toPrepare() && Date.now() >= idleSince + idleMs;
  });
}

/** Where the jobs and logs stay: nobody may have read the results yet. */
const left = join(dirname(folder), rememberedName(cluster.name));

/** The folder goes in one step, so that the name is free, and the slot, before what is large in it is removed. */
async function leaveIf(mayLeave: () => boolean): Promise<boolean> {
  try {
    return await withLock(lockOf(folder), async () => {
      if (!mayLeave()) return false;
      rmSync(left, { recursive: true, force: true });
      renameSync(folder, left);
      return true;
    });
  } catch (error) {
    if (isMissing(error)) return true; // somebody removed it
    throw error;
  }
}

async function live(): Promise<void> {
  for (;;) {
    tend();
    if (goingDown) break;
    const environment = queue.toPrepare();
    const job = queue.head();
    if (environment) await prepare(environment);
    else if (job) await run(job);
    else if (await retireIfIdle()) return;
    else await untilNews();
  }
  await endProcesses({ group: null, marker: markerPrefix(cluster.incarnation) });
  await leaveIf(() => true);
}

function tailOf(path: string): string {
  if (!existsSync(path)) return '';
  const text = readFileSync(path);
  return text.subarray(Math.max(0, text.length - 64 * 1024)).toString();
}

if (cluster.incarnation === incarnation) {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      goingDown = true;
      tend();
    });
  }
  process.on('SIGHUP', () => {}); // the terminal of the server that launched it was closed
  inbox.watch(tend);
  await live();
  rmSync(environmentsOf(left), { recursive: true, force: true });
}
process.exit(0);
