import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { execa } from 'execa';
import PQueue from 'p-queue';
import { z } from 'zod';
import type { Experiment } from '../src/domain/experiment.js';
import { openStore } from '../src/store/store.js';
import { type Figure, quantile } from './figure.js';

const CLUSTERS = 6;
/** Two for each cluster: one runs, one waits. As many again go behind them, for more gaps: single ones differ by half. */
const RUNS = 2 * CLUSTERS;
/** Of which the first outlast the submission of all; a run that follows another takes two minutes, its gap included. */
const RUN_SECONDS = 110;
/** So far apart in a minute the clusters' runs end: what ends and begins together waits for the cores that all share here. */
const APART_SECONDS = 60 / CLUSTERS;
/** Longer, and SkyPilot has lost it. */
const EXEC_TIMEOUT_MS = 300_000;
/** What tells the runs of one side apart. */
const VALUES = Array.from({ length: 2 * RUNS }, (_, i) => 20 + i);
/** Before each side: SkyPilot is still busy on the clusters for a while after a run is known to have ended. */
const SETTLE_MS = 30_000;
const CALLS = 40;
const bin = resolve('dist', 'bin.js');

/** Every one of equal size, and of one second: what rsync takes for unchanged. */
const trainPy = (x: number) => `import socket, time
X = ${x}
began = time.time()
host = socket.gethostname()
place = ${APART_SECONDS} * (int(host[-1]) + 4 * host.startswith("h200"))
time.sleep(${RUN_SECONDS} + (place - began - ${RUN_SECONDS}) % 60)
print(f"---\\nval_bpb: {X}\\nbegan: {began}\\nended: {time.time()}")
`;

interface Ran {
  readonly cluster: string;
  readonly expected: number;
  readonly value: number;
  /** Unix seconds, by the script. */
  readonly began: number;
  readonly ended: number;
}

interface Side {
  /** Until SkyPilot had given the first `RUNS` a job id. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Unix seconds: from then on nothing was put into a queue. */
  readonly filledAt: number;
  readonly ran: readonly Ran[];
}

/**
 * Against a live API server with six free GPUs, beside a shell loop of `sky exec -d` over the same clusters: how long until
 * SkyPilot has given twelve runs a job id, the seconds that a GPU idles between two jobs (from the script's last line to the
 * next one's first, all queues filled), and how many jobs ran another's code. Skipped without SKYPILOT_API_SERVER_ENDPOINT.
 */
export async function skypilotFigures(): Promise<Figure[]> {
  if (!process.env['SKYPILOT_API_SERVER_ENDPOINT']) {
    console.log(
      '\nskypilot: not run, it needs SKYPILOT_API_SERVER_ENDPOINT (test/skypilot-slurm/up) and six free GPUs.',
    );
    return [];
  }
  const project = mkdtempSync(join(tmpdir(), 'autoresearch-bench-'));
  const files = {
    'train.py': trainPy(10),
    'experiment.yaml': 'workdir: .\nrun: python train.py\n',
    'autoresearch.yaml': 'campaign: bench\nbackend: skypilot\ninfra: slurm/fakehpc\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const connect = async (): Promise<Client> => {
    const client = new Client({ name: 'bench', version: '0' });
    const args = [bin, '--project', project];
    await client.connect(new StdioClientTransport({ command: process.execPath, args, env }));
    return client;
  };
  let client = await connect();
  const call = async (name: string, args: Record<string, unknown>) => {
    const answer = await client.callTool({ name, arguments: args });
    if (answer.isError === true) throw new Error(JSON.stringify(answer.content));
    return answer.structuredContent;
  };
  const store = openStore(join(project, '.autoresearch'), Date.now);
  const runsOf = async (wave: string): Promise<Experiment[]> => {
    const file = (await store.waves()).find(({ wave: { id } }) => id === wave);
    return Object.values(file?.experiments ?? {});
  };
  const until = async (wave: string, isSo: (run: Experiment) => boolean) => {
    while (!(await runsOf(wave)).every(isSo)) await sleep(100);
  };
  const areQueued = (wave: string) => until(wave, ({ jobId }) => jobId !== null);
  const launch = async (values: readonly number[]): Promise<string> => {
    const experiments = values.map((x) => ({ description: `X=${x}`, overrides: { X: x } }));
    const answer = await call('launch_wave', { experiments, accelerators: 'H100:1,H200:1', sentinels: 0 });
    return z.looseObject({ wave_id: z.string() }).parse(answer).wave_id;
  };
  const isDone = ({ state }: Experiment) => state === 'done';
  try {
    await until(await launch(Array.from({ length: CLUSTERS - 1 }, (_, i) => 11 + i)), isDone);
    const fleet = (await store.campaign('bench'))?.fleet.filter(({ state }) => state === 'up') ?? [];
    await sleep(SETTLE_MS);
    const [startedAt, before] = [performance.now(), cpuSeconds()];
    const first = await launch(VALUES.slice(0, RUNS));
    await areQueued(first);
    const submitted = { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: cpuSeconds() - before };
    const waves = [first, await launch(VALUES.slice(RUNS))];
    await Promise.all(waves.map(areQueued));
    const filledAt = Date.now() / 1000;
    const answers: number[] = [];
    for (let i = 0; i < CALLS; i++) {
      const askedAt = performance.now();
      await call('list_clusters_by_gpu', {});
      answers.push(performance.now() - askedAt);
      await sleep(250);
    }
    await Promise.all(waves.map((wave) => until(wave, isDone)));
    const ran = (await Promise.all(waves.map(runsOf))).flat().map(({ cluster, overrides, metrics }): Ran => {
      const { val_bpb = Number.NaN, began = Number.NaN, ended = Number.NaN } = metrics ?? {};
      return { cluster: cluster ?? '', expected: Number(overrides['X']), value: val_bpb, began, ended };
    });
    const ours: Side = { ...submitted, filledAt, ran };
    // Nothing of ours keeps the machine from it meanwhile.
    await client.close();
    await sleep(SETTLE_MS);
    const plain = await execLoop(project, fleet);
    client = await connect();
    const wrong = ({ ran }: Side) => ran.filter(({ expected, value }) => expected !== value).length;
    const idle = { ours: gaps(ours), plain: gaps(plain) };
    const gap = { ours: quantile(idle.ours, 0.5), plain: quantile(idle.plain, 0.5) };
    return [
      { name: `submission of ${RUNS}, ours`, value: ours.seconds, unit: 's' },
      { name: `submission of ${RUNS}, a loop of sky exec -d`, value: plain.seconds, unit: 's' },
      { name: 'submission, ratio', value: ours.seconds / plain.seconds, unit: '×', limit: { most: 0.5 } },
      // Where ours keeps all cores busy, it is SkyPilot's own Pythons that it waits for.
      { name: 'cores busy during it, ours', value: ours.cpuSeconds / ours.seconds, unit: '' },
      {
        name: `cores busy during it, a loop (of ${cpus().length})`,
        value: plain.cpuSeconds / plain.seconds,
        unit: '',
      },
      { name: `a GPU idles between two jobs, ours, median of ${idle.ours.length}`, value: gap.ours, unit: 's' },
      { name: `a GPU idles between two jobs, sky exec, of ${idle.plain.length}`, value: gap.plain, unit: 's' },
      { name: 'idle gap, ratio', value: gap.ours / gap.plain, unit: '×', limit: { most: 1.1 } },
      {
        name: `list_clusters_by_gpu, p95 of ${answers.length}`,
        value: quantile(answers, 0.95),
        unit: 'ms',
        limit: { most: 500 },
      },
      {
        name: `of ${ours.ran.length} runs with another's code, ours`,
        value: wrong(ours),
        unit: '',
        limit: { most: 0 },
      },
      { name: `of ${plain.ran.length} runs with another's code, sky exec`, value: wrong(plain), unit: '' },
    ];
  } finally {
    await client.close();
    client = await connect();
    await call('teardown', { all: true });
    await client.close();
    rmSync(project, { recursive: true, force: true });
  }
}

/** The published recipe: a folder for each experiment, and `sky exec -d --workdir` into the clusters' queues. */
async function execLoop(
  project: string,
  fleet: readonly { name: string; id: string; accelerators: string | null }[],
): Promise<Side> {
  const root = mkdtempSync(join(tmpdir(), 'sky-exec-'));
  const now = new Date();
  for (const x of VALUES) {
    mkdirSync(join(root, String(x)));
    writeFileSync(join(root, String(x), 'train.py'), trainPy(x));
    utimesSync(join(root, String(x), 'train.py'), now, now);
  }
  const jobs: { cluster: (typeof fleet)[number]; expected: number; jobId: string }[] = [];
  const exec = async (x: number) => {
    const cluster = fleet[Math.floor(VALUES.indexOf(x) / 2) % fleet.length];
    if (!cluster) throw new Error('No cluster is up.');
    const gpus = cluster.accelerators ?? '';
    const task = join(project, 'experiment.yaml');
    const args = ['exec', cluster.name, task, '--workdir', join(root, String(x)), '--gpus', gpus, '-d'];
    const { all } = await execa('sky', args, { all: true, timeout: EXEC_TIMEOUT_MS });
    jobs.push({ cluster, expected: x, jobId: /Job submitted, ID: (\d+)/.exec(all)?.[1] ?? '' });
  };
  const [startedAt, before] = [performance.now(), cpuSeconds()];
  for (const x of VALUES.slice(0, RUNS)) await exec(x);
  const submitted = { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: cpuSeconds() - before };
  // Side by side, for the first runs are about to end.
  await new PQueue({ concurrency: CLUSTERS }).addAll(VALUES.slice(RUNS).map((x) => () => exec(x)));
  const filledAt = Date.now() / 1000;
  const ran: Ran[] = [];
  // From the last back: it follows that one until it ends, and no Python of its own starts while jobs change.
  for (const { cluster, expected, jobId } of [...jobs].reverse()) {
    const { stdout } = await execa('sky', ['logs', cluster.name, jobId], { reject: false });
    const said = (name: string) => Number(new RegExp(`${name}: ([\\d.]+)`).exec(stdout)?.[1] ?? Number.NaN);
    ran.push({ cluster: cluster.id, expected, value: said('val_bpb'), began: said('began'), ended: said('ended') });
  }
  rmSync(root, { recursive: true, force: true });
  return { ...submitted, filledAt, ran };
}

/** Of all cores since the machine started, whoever used them. */
const cpuSeconds = (): number =>
  cpus().reduce((sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) / 1000, 0);

/** Seconds between jobs of one cluster that followed each other, once nothing was put into a queue any more. */
const gaps = ({ ran, filledAt }: Side): number[] =>
  [...new Set(ran.map(({ cluster }) => cluster))].flatMap((cluster) => {
    const there = ran.filter((run) => run.cluster === cluster).sort((a, b) => a.began - b.began);
    return there.slice(1).flatMap(({ began }, index) => {
      const ended = there[index]?.ended ?? Number.NaN;
      return ended > filledAt ? [began - ended] : [];
    });
  });
