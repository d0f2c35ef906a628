// What only real machines show: servers and allocations that are killed in the middle of a wave. One after the other, for
// all six GPUs of the harness are one fleet; each wait is for a machine of SkyPilot's, never for a fixed time.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findEndpoint } from '../../src/adapters/skypilot/endpoint.js';
import { findIdentity } from '../../src/adapters/skypilot/identity.js';
import { openMemory } from '../../src/adapters/skypilot/memory.js';
import { createSkyApi } from '../../src/adapters/skypilot/sky-api.js';
import { createSkypilotBackend } from '../../src/adapters/skypilot/skypilot-backend.js';
import { ClusterName, isFinalJobStatus } from '../../src/ports/cluster-backend.js';
import { callTool } from '../support/client.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { writeProject } from '../support/simulated-lab.js';
import { isHarness } from './harness.js';

const UP = fileURLToPath(new URL('../skypilot-slurm/up', import.meta.url));
if (!isHarness) console.log('Not run: the waves of slurm-harness.test.ts need the machines of test/skypilot-slurm/up.');

const API_PID = '/run/skypilot-slurm/sky-api.pid';
const MINUTE = 60_000;
const PROJECT = {
  'train.py': 'import time\nX = 10\nSECONDS = 20\ntime.sleep(SECONDS)\nprint("---")\nprint(f"val_bpb: {X}")\n',
  'experiment.yaml':
    'resources:\n  cpus: 2+\nworkdir: .\nsetup: echo ready > made-by-setup.txt\nrun: |\n  test -e made-by-setup.txt && python train.py\n',
  'autoresearch.yaml':
    'campaign: waves\nbackend: skypilot\ninfra: slurm/fakehpc\nprices: { H100: 2.0, H200: 2.3 }\nidle_minutes: 60\n',
};
const api = createSkyApi(findEndpoint, findIdentity);
const all = { 'H100:1': 4, 'H200:1': 2 };

/** As many files of one size as there are values: each says by its metric which of them was run. */
const wave = (values: readonly number[], seconds = 20) => ({
  experiments: values.map((x) => ({ description: `X=${x}`, overrides: { X: x, SECONDS: seconds } })),
  accelerators: Object.keys(all),
  sentinels: 0,
});
let next = 10;
/** Never the same again: what was run before would be answered with its result, also when a test is tried once more. */
const twelve = (): number[] => Array.from({ length: 12 }, () => next++);

const Row = z.looseObject({
  experiment_id: z.string(),
  description: z.string(),
  state: z.string(),
  metrics: z.record(z.string(), z.number()).nullable(),
  note: z.string().optional(),
});
const Rows = z.looseObject({ ended: z.number(), total: z.number(), experiments: z.array(Row).optional() });

const Slurm = z.array(z.strictObject({ id: z.string(), name: z.string(), state: z.string() }));
async function squeue(): Promise<z.infer<typeof Slurm>> {
  const { stdout } = await execa('squeue', ['--noheader', '--format=%i %j %T']);
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  return Slurm.parse(
    lines.map((line) => Object.fromEntries(line.split(' ').map((v, i) => [['id', 'name', 'state'][i], v]))),
  );
}

// Two busy cores fail a launch now and then: a test is tried once more.
describe.runIf(isHarness)('waves on the harness', { retry: 1 }, () => {
  const project = mkdtempSync(join(tmpdir(), 'autoresearch-waves-'));
  let server: ServerProcess;

  const restart = async () => {
    server = await startServer(project);
  };
  const kill = async () => {
    process.kill(server.pid, 'SIGKILL');
    await server.client.close().catch(() => undefined);
  };

  async function rows(wave_id: string, wait_seconds = 0) {
    const { structured, error } = await callTool(server.client, 'fetch_result', { wave_id, wait_seconds });
    if (error) throw new Error(error);
    return Rows.parse(structured);
  }

  async function ended(waveId: string) {
    for (;;) {
      const { ended, total, experiments = [] } = await rows(waveId, 50);
      if (ended === total) return experiments;
    }
  }

  async function until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) await sleep(1_000);
  }

  const launched = async (values: readonly number[], seconds?: number) => {
    const { structured, error } = await callTool(server.client, 'launch_wave', wave(values, seconds));
    if (error) throw new Error(error);
    return z.looseObject({ wave_id: z.string() }).parse(structured).wave_id;
  };

  /** The names of those that are UP, from SkyPilot itself. */
  async function clusters(): Promise<string[]> {
    const Clusters = z.array(z.looseObject({ name: z.string(), status: z.string() }));
    const found = await api.call('/status', { refresh: 'NONE', include_credentials: false }, Clusters);
    return found.filter(({ name, status }) => name.startsWith('gpu-') && status === 'UP').map(({ name }) => name);
  }

  /** Names of all jobs of the campaign's clusters but setup's, from SkyPilot itself. */
  async function jobs() {
    const Jobs = z.array(z.looseObject({ job_name: z.string(), status: z.string() }));
    const queues = await Promise.all(
      (await clusters()).map((cluster_name) => api.call('/queue', { cluster_name, skip_finished: false }, Jobs)),
    );
    return queues.flat().filter(({ job_name }) => job_name.startsWith('exp-'));
  }

  /** Asked of our server: SkyPilot starts a Python on each cluster to answer. */
  async function counts(): Promise<Record<string, number>> {
    const { structured, error } = await callTool(server.client, 'campaign_status', {});
    if (error) throw new Error(error);
    return z.looseObject({ counts: z.record(z.string(), z.number()) }).parse(structured).counts;
  }
  /** Whether the newest wave has got so far that some of it runs: what ended between two looks has run too. */
  const isRunning = async (waveId: string) => ((await counts())['running'] ?? 0) > 0 || (await rows(waveId)).ended > 0;

  /** Every result is its own code's, and none of the wave was run twice. */
  async function expectRight(waveId: string, values: readonly number[]) {
    const experiments = await ended(waveId);
    expect(experiments.map(({ state, metrics }) => [state, metrics?.['val_bpb']])).toEqual(
      values.map((x) => ['done', x]),
    );
    const ran = (await jobs())
      .filter(({ status }) => status === 'SUCCEEDED')
      .map(({ job_name }) => job_name.slice(0, 8));
    const ids = experiments.map(({ experiment_id }) => experiment_id);
    expect(ran.filter((id) => ids.includes(id)).sort()).toEqual([...ids].sort());
    return experiments;
  }

  beforeAll(async () => {
    writeProject(project, PROJECT);
    console.log(`Six clusters gpu-01-… of H100 and H200 on slurm/fakehpc, taken down at the end.`);
    await restart();
  });

  beforeEach(async () => {
    // The one before may have failed between two servers.
    if (!isAlive(server.pid)) await restart();
  });

  afterAll(async () => {
    const { error } = await callTool(server.client, 'teardown', { all: true });
    await server.client.close();
    if (error) throw new Error(error);
    rmSync(project, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }, 5 * MINUTE);

  it(
    'completes a wave of 12 over 6 clusters whose server was killed during the launches and during the runs',
    async () => {
      const values = twelve();
      // The first wave of the campaign runs the unchanged base too, whose X is 10.
      const waveId = await launched(values.filter((x) => x !== 10));
      await sleep(4_000); // into the launches, of which SkyPilot says nothing that one could wait for
      await kill();
      await restart();
      await until(() => isRunning(waveId));
      await kill();
      await restart();
      await expectRight(waveId, values);
      expect((await squeue()).map(({ state }) => state)).toEqual(Array(6).fill('RUNNING'));
      expect(await clusters()).toHaveLength(6);
    },
    10 * MINUTE,
  );

  it(
    'completes a wave of which the API server was killed in the middle and started again',
    async () => {
      const values = twelve();
      const waveId = await launched(values);
      await until(() => isRunning(waveId));
      await killTree(Number(readFileSync(API_PID, 'utf8')));
      await execa(UP, { env: { SMOKE: '0' } });
      await expectRight(waveId, values);
      expect(await clusters()).toHaveLength(6);
    },
    10 * MINUTE,
  );

  it(
    'finds a wave complete that ran with no server alive',
    async () => {
      const values = twelve();
      const waveId = await launched(values);
      await until(async () => !('planned' in (await counts())));
      await server.client.close();
      await until(async () => {
        await sleep(10_000);
        return (await jobs()).every(({ status }) => /^(SUCCEEDED|FAILED)/.test(status));
      });
      await restart();
      await expectRight(waveId, values);
    },
    10 * MINUTE,
  );

  it(
    'says that no GPU is free, and what could be done, to another project while this one holds them all',
    async () => {
      const theirs = mkdtempSync(join(tmpdir(), 'autoresearch-waves-'));
      writeProject(theirs, {
        ...PROJECT,
        'autoresearch.yaml': 'campaign: late\nbackend: skypilot\ninfra: slurm/fakehpc\n',
      });
      const late = await startServer(theirs);
      const askedAt = performance.now();
      const { error } = await callTool(late.client, 'launch_wave', { ...wave([11]), accelerators: 'H100:1' });
      console.log(`No GPU is free: said within ${((performance.now() - askedAt) / 1000).toFixed(1)} s: ${error}`);
      await callTool(late.client, 'teardown', { all: true });
      await late.client.close();
      rmSync(theirs, { recursive: true, force: true });
      expect(error).toContain('no H100:1 is free');
    },
    MINUTE,
  );

  it(
    'notices an allocation that was cancelled from outside, and runs its experiments elsewhere',
    async () => {
      const values = twelve();
      // Long enough that whichever is cancelled has something left to run.
      const waveId = await launched(values, 90);
      await until(() => isRunning(waveId));
      const [victim] = await squeue();
      await execa('scancel', [victim?.id ?? '']);
      const experiments = await ended(waveId);
      expect(experiments.map(({ state, metrics }) => [state, metrics?.['val_bpb']])).toEqual(
        values.map((x) => ['done', x]),
      );
      const moved = experiments.filter(({ note }) => /was lost under it|refused it/.test(note ?? ''));
      expect(moved.length).toBeGreaterThan(0);
    },
    15 * MINUTE,
  );

  it(
    'leaves nothing in the queue when all is torn down, but what somebody else launched',
    async () => {
      const theirs = ['--cpus', '1', '--infra', 'slurm/fakehpc', '-y', '-d', 'sleep 900'];
      await execa('sky', ['launch', '-c', 'theirs', ...theirs]);
      let ending: unknown[] = ['?'];
      while (ending.length > 0) {
        const { structured, error } = await callTool(server.client, 'teardown', { all: true });
        if (error) throw new Error(error);
        ending = z.looseObject({ still_ending: z.array(z.string()).default([]) }).parse(structured).still_ending;
      }
      // Slurm shows an allocation that was cancelled until the last of its processes is gone.
      await until(async () => (await squeue()).every(({ state }) => state !== 'COMPLETING'));
      const left = (await squeue()).map(({ name }) => name);
      const { stdout } = await execa('sky', ['status', 'theirs', '-o', 'json'], { reject: false });
      await execa('sky', ['down', '-y', 'theirs']);
      expect(left).toEqual([expect.stringMatching(/^theirs/)]);
      expect(stdout).toContain('"UP"');
    },
    5 * MINUTE,
  );

  it(
    'sends the base to a server elsewhere, with its executable files',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'autoresearch-base-'));
      writeFileSync(join(folder, 'hello.sh'), '#!/bin/sh\necho hello from "$(cat name.txt)"\n', { mode: 0o755 });
      writeFileSync(join(folder, 'name.txt'), 'the base');
      const elsewhere = createSkyApi(async () => ({ ...(await findEndpoint()), isLocal: false }), findIdentity);
      const backend = createSkypilotBackend({
        api: elsewhere,
        memory: openMemory(join(folder, '.memory')),
        infra: null,
      });
      const cluster = ClusterName.parse('gpu-afar');
      const environment = { key: 'k', workdir: folder, setup: './hello.sh > setup.txt', envs: {}, resources: {} };
      const task = {
        name: 'afar',
        environmentKey: 'k',
        run: './hello.sh; cat setup.txt',
        envs: {},
        timeoutSeconds: 60,
      };
      try {
        await backend.launch([
          { cluster, accelerators: ['H200:1'], infra: 'slurm/fakehpc', environment, idleMinutes: 10 },
        ]);
        await until(async () => (await backend.clusters([cluster]))[0]?.status === 'UP');
        const [submission] = await backend.submit(cluster, [task]);
        const jobId = submission?.status === 'submitted' ? submission.jobId : expect.fail('rejected');
        await until(async () => (await backend.jobs([cluster])).every(({ status }) => isFinalJobStatus(status)));
        const [log] = await backend.logs([{ cluster, jobId }]);
        expect(log?.text?.match(/hello from the base/g)).toHaveLength(2);
      } finally {
        await backend.down([cluster]);
        rmSync(folder, { recursive: true, force: true });
      }
    },
    5 * MINUTE,
  );

  it(
    'asks the person whether to start an API server where none runs, and goes on when it does',
    async () => {
      await killTree(Number(readFileSync(API_PID, 'utf8')));
      const asked: string[] = [];
      const asking = await startServer(project, async (question) => {
        asked.push(question);
        return true;
      });
      const { error } = await callTool(asking.client, 'list_clusters_by_gpu', { include_offers: true });
      await asking.client.close();
      await execa('sky', ['api', 'stop']);
      await execa(UP, { env: { SMOKE: '0' } });
      expect(error).toBeUndefined();
      expect(asked).toEqual([expect.stringContaining('Start it now with `sky api start`?')]);
    },
    5 * MINUTE,
  );
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** From the top down: a parent that lived on would start its children again. */
async function killTree(pid: number): Promise<void> {
  for (const each of await treeOf(pid)) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // it went with its parent
    }
  }
}

async function treeOf(pid: number): Promise<number[]> {
  const { stdout } = await execa('ps', ['-o', 'pid=', '--ppid', String(pid)], { reject: false });
  const children = stdout.split('\n').filter((line) => line.trim() !== '');
  return [pid, ...(await Promise.all(children.map((child) => treeOf(Number(child))))).flat()];
}
