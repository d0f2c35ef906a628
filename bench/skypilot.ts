import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { execa } from 'execa';
import { z } from 'zod';
import type { Experiment } from '../src/domain/experiment.js';
import { openStore } from '../src/store/store.js';
import { type Figure, quantile } from './figure.js';

const ROUNDS = 1;
const CLUSTERS = 6;
/** Two for each cluster: one runs, one waits. */
const RUNS = 2 * CLUSTERS;
/** Longer than the submission of all takes: the gap between two jobs is SkyPilot's and ours, not that of a busy machine. */
const RUN_SECONDS = 120;
/** So far apart in a minute the clusters' runs end: what ends and begins together waits for the cores that all share here. */
const APART_SECONDS = 60 / CLUSTERS;
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
  readonly began: number;
  readonly ended: number;
}

/**
 * Against a live API server with six free GPUs, beside a shell loop of `sky exec -d` over the same clusters: how long until
 * SkyPilot has given twelve runs a job id, the seconds that a GPU idles between two jobs (from the script's last line to the
 * next one's first), and how many jobs ran another's code. Skipped without SKYPILOT_API_SERVER_ENDPOINT.
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
  const launch = async (values: readonly number[]): Promise<string> => {
    const experiments = values.map((x) => ({ description: `X=${x}`, overrides: { X: x } }));
    const answer = await call('launch_wave', { experiments, accelerators: 'H100:1,H200:1', sentinels: 0 });
    return z.looseObject({ wave_id: z.string() }).parse(answer).wave_id;
  };
  const isDone = ({ state }: Experiment) => state === 'done';
  try {
    await until(await launch(Array.from({ length: CLUSTERS - 1 }, (_, i) => 11 + i)), isDone);
    const fleet = (await store.campaign('bench'))?.fleet.filter(({ state }) => state === 'up') ?? [];
    const ours: Ran[] = [];
    const plain: Ran[] = [];
    const seconds: { ours: number[]; plain: number[] } = { ours: [], plain: [] };
    const cores: { ours: number[]; plain: number[] } = { ours: [], plain: [] };
    const answers: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const values = Array.from({ length: RUNS }, (_, i) => 20 + RUNS * round + i);
      await sleep(SETTLE_MS);
      const [startedAt, before] = [performance.now(), cpuSeconds()];
      const wave = await launch(values);
      await until(wave, ({ jobId }) => jobId !== null);
      seconds.ours.push((performance.now() - startedAt) / 1000);
      cores.ours.push(cpuSeconds() - before);
      for (let i = 0; i < CALLS / ROUNDS; i++) {
        const askedAt = performance.now();
        await call('list_clusters_by_gpu', {});
        answers.push(performance.now() - askedAt);
        await sleep(250);
      }
      await until(wave, isDone);
      for (const { cluster, overrides, metrics } of await runsOf(wave)) {
        const { val_bpb = Number.NaN, began = Number.NaN, ended = Number.NaN } = metrics ?? {};
        ours.push({ cluster: cluster ?? '', expected: Number(overrides['X']), value: val_bpb, began, ended });
      }
      // Nothing of ours keeps the machine from it meanwhile.
      await client.close();
      await sleep(SETTLE_MS);
      const loop = await execLoop(project, fleet, values);
      client = await connect();
      seconds.plain.push(loop.seconds);
      cores.plain.push(loop.cpuSeconds);
      plain.push(...loop.ran);
    }
    const wrong = (ran: readonly Ran[]) => ran.filter(({ expected, value }) => expected !== value).length;
    const submission = quantile(seconds.ours, 0.5) / quantile(seconds.plain, 0.5);
    const gap = { ours: quantile(gaps(ours), 0.5), plain: quantile(gaps(plain), 0.5) };
    return [
      { name: `submission of ${RUNS}, ours`, value: quantile(seconds.ours, 0.5), unit: 's' },
      { name: `submission of ${RUNS}, a loop of sky exec -d`, value: quantile(seconds.plain, 0.5), unit: 's' },
      { name: 'submission, ratio', value: submission, unit: '×', limit: { most: 0.5 } },
      // Where ours keeps all cores busy, it is SkyPilot's own Pythons that it waits for.
      { name: 'cores busy during it, ours', value: quantile(cores.ours, 0.5) / quantile(seconds.ours, 0.5), unit: '' },
      {
        name: `cores busy during it, a loop (of ${cpus().length})`,
        value: quantile(cores.plain, 0.5) / quantile(seconds.plain, 0.5),
        unit: '',
      },
      { name: 'a GPU idles between two jobs, ours', value: gap.ours, unit: 's' },
      { name: 'a GPU idles between two jobs, sky exec', value: gap.plain, unit: 's' },
      { name: 'idle gap, ratio', value: gap.ours / gap.plain, unit: '×', limit: { most: 1.1 } },
      {
        name: `list_clusters_by_gpu, p95 of ${answers.length}`,
        value: quantile(answers, 0.95),
        unit: 'ms',
        limit: { most: 500 },
      },
      { name: `of ${ours.length} runs with another's code, ours`, value: wrong(ours), unit: '', limit: { most: 0 } },
      { name: `of ${plain.length} runs with another's code, sky exec`, value: wrong(plain), unit: '' },
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
  values: readonly number[],
): Promise<{ seconds: number; cpuSeconds: number; ran: Ran[] }> {
  const root = mkdtempSync(join(tmpdir(), 'sky-exec-'));
  const now = new Date();
  const jobs: { cluster: (typeof fleet)[number]; expected: number; jobId: string }[] = [];
  for (const x of values) {
    mkdirSync(join(root, String(x)));
    writeFileSync(join(root, String(x), 'train.py'), trainPy(x));
    utimesSync(join(root, String(x), 'train.py'), now, now);
  }
  const [startedAt, before] = [performance.now(), cpuSeconds()];
  for (const [index, x] of values.entries()) {
    const cluster = fleet[Math.floor(index / 2) % fleet.length];
    if (!cluster) throw new Error('No cluster is up.');
    const gpus = cluster.accelerators ?? '';
    const task = join(project, 'experiment.yaml');
    const args = ['exec', cluster.name, task, '--workdir', join(root, String(x)), '--gpus', gpus, '-d'];
    const { all } = await execa('sky', args, { all: true });
    jobs.push({ cluster, expected: x, jobId: /Job submitted, ID: (\d+)/.exec(all)?.[1] ?? '' });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const used = cpuSeconds() - before;
  const ran: Ran[] = [];
  for (const { cluster, expected, jobId } of jobs) {
    // Follows until the job has ended.
    const { stdout } = await execa('sky', ['logs', cluster.name, jobId], { reject: false });
    const said = (name: string) => Number(new RegExp(`${name}: ([\\d.]+)`).exec(stdout)?.[1] ?? Number.NaN);
    ran.push({ cluster: cluster.id, expected, value: said('val_bpb'), began: said('began'), ended: said('ended') });
  }
  rmSync(root, { recursive: true, force: true });
  return { seconds, cpuSeconds: used, ran };
}

/** Of all cores since the machine started, whoever used them. */
const cpuSeconds = (): number =>
  cpus().reduce((sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) / 1000, 0);

/** Between jobs of one cluster that followed each other; a pause for the other side's turn is none. */
const gaps = (ran: readonly Ran[]): number[] =>
  [...new Set(ran.map(({ cluster }) => cluster))].flatMap((cluster) => {
    const there = ran.filter((run) => run.cluster === cluster).sort((a, b) => a.began - b.began);
    return there.slice(1).flatMap(({ began }, index) => {
      const gap = began - (there[index]?.ended ?? Number.NaN);
      return gap < RUN_SECONDS ? [gap] : [];
    });
  });
