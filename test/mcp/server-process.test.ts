// Real processes: what a client, a signal or a kill -9 does to the built server and to its jobs cannot be seen in one process.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, it, onTestFinished, vi } from 'vitest';
import { callTool } from '../support/client.js';
import { BIN, secondsUntilGone, startServer } from '../support/server-process.js';
import { temporaryProject } from '../support/test-lab.js';

/** Each run appends its id to a file outside of its snapshot, so that a run that happened twice is seen. */
function sleepingProject(seconds: number, more = ''): string {
  const project = temporaryProject({
    'train.py': 'X = 0\n',
    'autoresearch.yaml': `campaign: test\nlocal: { slots: 2 }\n${more}`,
  });
  const task = `workdir: .\nrun: |\n  echo $EXPERIMENT_ID >> "${join(project, '.autoresearch', 'ran.txt')}"\n  sleep ${seconds}\n  printf -- '---\\nval_bpb: 1.5\\n'\n`;
  writeFileSync(join(project, 'experiment.yaml'), task);
  return project;
}

const tearDownLater = (project: string) =>
  onTestFinished(async () => {
    const { client } = await startServer(project);
    await callTool(client, 'teardown', { all: true });
    await client.close();
  });

const wave = (...values: number[]) => ({
  experiments: values.map((x) => ({ description: `X=${x}`, overrides: { X: x } })),
});

it('completes a wave whose server was killed in the middle: every result, and nothing run twice', async () => {
  const project = sleepingProject(1);
  tearDownLater(project);
  const first = await startServer(project);
  await callTool(first.client, 'launch_wave', wave(1, 2, 3, 4, 5));
  await sleep(1_200);
  process.kill(first.pid, 'SIGKILL');
  const second = await startServer(project);
  const answer = await callTool(second.client, 'fetch_result', { wave_id: 'wave-001', wait_seconds: 50 });
  await second.client.close();
  expect(answer).toMatchObject({ structured: { ended: 6, total: 6 } });
  expect(JSON.stringify(answer).match(/"state":"done"/g)).toHaveLength(6);
  const ran = readFileSync(join(project, '.autoresearch', 'ran.txt'), 'utf8')
    .trim()
    .split('\n');
  expect(ran.sort()).toEqual(['exp-0001', 'exp-0002', 'exp-0003', 'exp-0004', 'exp-0005', 'exp-0006']);
}, 60_000);

it('completes a wave with no server alive, and the next server reads its results', async () => {
  const project = sleepingProject(0.3);
  tearDownLater(project);
  const first = await startServer(project);
  await callTool(first.client, 'launch_wave', wave(1, 2, 3));
  await first.client.close();
  await sleep(3_000);
  const second = await startServer(project);
  const answer = await callTool(second.client, 'fetch_result', { wave_id: 'wave-001' });
  await second.client.close();
  expect(answer).toMatchObject({ structured: { ended: 4, total: 4 } });
}, 60_000);

it('keeps the results of clusters that went down idle before anybody had read them', async () => {
  const project = sleepingProject(0.2, 'idle_minutes: 0.02\n');
  const first = await startServer(project);
  await callTool(first.client, 'launch_wave', wave(1, 2, 3));
  process.kill(first.pid, 'SIGKILL');
  await sleep(6_000);
  const second = await startServer(project);
  const answer = await callTool(second.client, 'fetch_result', { wave_id: 'wave-001', wait_seconds: 20 });
  const fleet = await callTool(second.client, 'list_clusters_by_gpu', {});
  await second.client.close();
  expect(JSON.stringify(answer).match(/"state":"done"/g)).toHaveLength(4);
  expect(fleet).toMatchObject({ structured: { accelerators: {} } });
  expect(
    readFileSync(join(project, '.autoresearch', 'ran.txt'), 'utf8')
      .trim()
      .split('\n'),
  ).toHaveLength(4);
}, 60_000);

it('lets two servers work on one project: both launch, both see every result, nothing runs twice', async () => {
  const project = sleepingProject(0.3);
  tearDownLater(project);
  const servers = await Promise.all([startServer(project), startServer(project)]);
  const launched = await Promise.all(
    servers.map(({ client }, i) => callTool(client, 'launch_wave', wave(10 * i + 1, 10 * i + 2, 10 * i + 3))),
  );
  expect(launched.map(({ error }) => error)).toEqual([undefined, undefined]);
  for (const { client } of servers) {
    for (const wave_id of ['wave-001', 'wave-002']) {
      const answer = await callTool(client, 'fetch_result', { wave_id, wait_seconds: 40 });
      expect(JSON.stringify(answer)).not.toContain('"metrics":null');
      expect(answer).toMatchObject({ structured: { experiments: expect.anything() } });
    }
  }
  await Promise.all(servers.map(({ client }) => client.close()));
  const ran = readFileSync(join(project, '.autoresearch', 'ran.txt'), 'utf8')
    .trim()
    .split('\n');
  expect(new Set(ran).size).toBe(ran.length);
}, 90_000);

it.each(['the end of stdin', 'SIGTERM', 'SIGINT'] as const)(
  'leaves within two seconds of %s while a wave runs, and its jobs run on',
  async (how) => {
    const project = sleepingProject(3);
    tearDownLater(project);
    const { client, pid } = await startServer(project);
    await callTool(client, 'launch_wave', wave(1));
    const waiting = callTool(client, 'fetch_result', { wave_id: 'wave-001', wait_seconds: 50 }).catch(() => null);
    await sleep(300);
    if (how === 'the end of stdin') void client.close();
    else process.kill(pid, how);
    expect(await secondsUntilGone(pid)).toBeLessThan(2);
    await waiting;
    // On a slow machine it starts after the server has left.
    const ran = join(project, '.autoresearch', 'ran.txt');
    await vi.waitFor(() => expect(existsSync(ran)).toBe(true), { timeout: 15_000 });
  },
  30_000,
);

it('starts and lists its tools on a broken project file, and on a folder that does not exist', async () => {
  const broken = temporaryProject({ 'autoresearch.yaml': 'campain: x\n' });
  for (const [project, words] of [
    [broken, 'Unrecognized key: "campain"'],
    [join(broken, 'nowhere'), 'does not exist'],
  ] as const) {
    const { client } = await startServer(project);
    expect((await client.listTools()).tools.length).toBeGreaterThan(5);
    expect((await callTool(client, 'campaign_status', {})).error).toContain(words);
    await client.close();
  }
});

it('writes nothing but the protocol to stdout', async () => {
  const project = sleepingProject(0.1);
  const { stdout } = await execa(process.execPath, [BIN, '--project', project], {
    input: `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '0' } } })}\n`,
  });
  for (const line of stdout.split('\n')) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
});
