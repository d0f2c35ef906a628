import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ClusterName } from '../../../src/ports/cluster-backend.js';
import { backendOn, CLUSTER, failed, memoryFolder, recordedSky, request, succeeded, task } from './recorded-sky.js';

const yamlOf = (body: Record<string, unknown> | undefined): string => z.string().parse(body?.['task']);

/** A cluster that is UP and gives each task the next number. */
async function launched() {
  const [sky, folder] = [await recordedSky(), await memoryFolder()];
  await sky.recorded('/status', 'status-up');
  sky.answer('/exec', () => succeeded({ job_id: sky.bodies('/exec').length + 1 }));
  const backend = backendOn(sky, folder);
  await backend.launch([request]);
  return { sky, folder, backend };
}

describe('submit', () => {
  it("sends the tasks of a call side by side, asking for the cluster's accelerators", async () => {
    const { sky, backend } = await launched();
    sky.hold('/exec', () => sky.bodies('/exec').length === 3);
    const answers = await backend.submit(
      CLUSTER,
      ['c', 'a', 'b'].map((name) => task(name)),
    );
    const ids = answers.map((answer) => answer.status === 'submitted' && answer.jobId.split('.')[1]);
    expect(ids.toSorted()).toEqual(['2', '3', '4']);
    const yamls = sky.bodies('/exec').map(yamlOf);
    expect(yamls.map((yaml) => yaml.split('\n')[0]).toSorted()).toEqual(['name: a', 'name: b', 'name: c']);
    for (const yaml of yamls) expect(yaml).toContain('accelerators: H200:1');
  });

  it("sends a cluster's first task before another's thirteenth", async () => {
    const { sky, backend } = await launched();
    const other = ClusterName.parse('contract-other');
    sky.answer('/status', () => succeeded([CLUSTER, other].map((name) => ({ name, status: 'UP' }))));
    await backend.launch([{ ...request, cluster: other }]);
    const running = () => sky.bodies('/exec').length;
    let isHeld = true;
    sky.hold('/exec', () => !isHeld);
    const many = backend.submit(
      CLUSTER,
      Array.from({ length: 14 }, (_, index) => task(`many-${index}`)),
    );
    await vi.waitUntil(() => running() === 12);
    const one = backend.submit(other, [task('one')]);
    await sleep(100); // for it to be seen waiting: nothing tells when it does
    expect(running()).toBe(12);
    isHeld = false;
    await Promise.all([many, one]);
    expect(sky.bodies('/exec').findIndex((body) => yamlOf(body).startsWith('name: one'))).toBe(12);
  });

  it('answers a later process with the job and does not run the task again', async () => {
    const { sky, folder, backend } = await launched();
    const first = await backend.submit(CLUSTER, [task('one')]);
    expect(await backendOn(sky, folder).submit(CLUSTER, [task('one')])).toEqual(first);
    expect(sky.bodies('/exec')).toHaveLength(1);
  });

  it('looks up by name what a server that died may have submitted', async () => {
    const { sky, folder } = await launched();
    const path = join(folder, `${CLUSTER}.json`);
    const memory = z.looseObject({}).parse(JSON.parse(await readFile(path, 'utf8')));
    await writeFile(path, JSON.stringify({ ...memory, tasks: { good: null, other: null } }));
    await sky.recorded('/queue', 'queue');
    const [good, other] = await backendOn(sky, folder).submit(CLUSTER, [task('good'), task('other')]);
    expect(good).toMatchObject({ status: 'submitted', jobId: expect.stringMatching(/\.2$/) });
    expect(other?.status).toBe('submitted');
    expect(sky.bodies('/exec').map(yamlOf)).toEqual([expect.stringContaining('name: other')]);
  });

  it.each([
    ['sends anew what the server had accepted and never began', [], { exec: 2, jobId: /\.3$/ }],
    ['or takes the job that it had begun meanwhile', [{ job_id: 2, job_name: 'one' }], { exec: 1, jobId: /\.2$/ }],
  ])('%s', async (_, queue, expected) => {
    const { sky, folder } = await launched();
    // As a server answered of which a web process was replaced while a submission waited in it.
    const cancelled = { status: 200, body: { status: 'CANCELLED', return_value: 'null', error: 'null' } };
    sky.answer('/exec', () => (sky.bodies('/exec').length === 1 ? cancelled : succeeded({ job_id: 3 })));
    sky.hold('/exec', () => sky.bodies('/api/cancel').length > 0);
    const submittedAt = 1_800_000_000;
    sky.answer('/queue', succeeded(queue.map((job) => ({ ...job, status: 'RUNNING', submitted_at: submittedAt }))));
    const answer = backendOn(sky, folder, { strandedMs: 20 }).submit(CLUSTER, [task('one')]);
    await vi.waitUntil(() => sky.bodies('/exec').length === 1);
    sky.state('PENDING');
    expect(await answer).toMatchObject([{ status: 'submitted', jobId: expect.stringMatching(expected.jobId) }]);
    expect(sky.bodies('/exec')).toHaveLength(expected.exec);
  });

  it('tells of a task that is refused, and its neighbours run', async () => {
    const { sky, backend } = await launched();
    sky.answer('/exec', (body) =>
      yamlOf(body).startsWith('name: lost') ? failed('ResourcesMismatchError', 'too many') : succeeded({ job_id: 2 }),
    );
    const tasks = [task('one'), task('lost'), task('two'), task('three', { environmentKey: 'nobody' })];
    expect(await backend.submit(CLUSTER, tasks)).toMatchObject([
      { status: 'submitted' },
      { name: 'lost', status: 'rejected', reason: 'too many' },
      { status: 'submitted' },
      { name: 'three', status: 'rejected', reason: expect.stringContaining('nobody') },
    ]);
  });

  it('throws where there is no such cluster', async () => {
    const sky = await recordedSky();
    await sky.recorded('/status', 'status-none');
    const backend = backendOn(sky, await memoryFolder());
    await expect(backend.submit(CLUSTER, [task('one')])).rejects.toMatchObject({ code: 'backend_failed' });
  });
});

describe('jobs', () => {
  it('are told in order of submission with their times, without those of setup', async () => {
    const { sky, backend } = await launched();
    await sky.recorded('/queue', 'queue');
    await sky.recorded('/logs', 'log-bad');
    const jobs = await backend.jobs([CLUSTER]);
    expect(jobs.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'good SUCCEEDED',
      'bad FAILED',
      'slow RUNNING',
      'waiting PENDING',
    ]);
    expect(jobs[0]).toMatchObject({ exitCode: 0, timedOut: false, submittedAt: 1795217895561, endedAt: 1795217906870 });
    expect(jobs[3]).toMatchObject({ startedAt: null, endedAt: null, exitCode: null });
  });

  it('that failed say how, from the last lines of their log, which are asked for once', async () => {
    const { sky, backend } = await launched();
    await sky.recorded('/queue', 'queue-ended');
    sky.text('/logs', '(bad, pid=1) AUTORESEARCH_TIMEOUT\n(bad, pid=1) AUTORESEARCH_EXIT 124\n');
    await backend.jobs([CLUSTER]);
    expect((await backend.jobs([CLUSTER]))[1]).toMatchObject({ status: 'FAILED', exitCode: 124, timedOut: true });
    expect(sky.bodies('/logs')).toHaveLength(1);
  });

  it('whose setup failed are FAILED_SETUP, and the next one waits in SETTING_UP while it runs', async () => {
    const { sky, backend } = await launched();
    sky.text('/logs', '(bad, pid=1) AUTORESEARCH_SETUP_FAILED\n(bad, pid=1) AUTORESEARCH_EXIT 96\n');
    const job = (job_id: number, job_name: string, status: string) => ({ job_id, job_name, status, submitted_at: 1 });
    sky.answer('/queue', succeeded([job(2, 'bad', 'FAILED')]));
    expect(await backend.jobs([CLUSTER])).toMatchObject([{ status: 'FAILED_SETUP', exitCode: 96 }]);
    const queue = [job(3, 'two', 'PENDING'), job(2, 'one', 'PENDING'), job(1, 'autoresearch-setup', 'RUNNING')];
    sky.answer('/queue', succeeded(queue));
    expect((await backend.jobs([CLUSTER])).map(({ status }) => status)).toEqual(['SETTING_UP', 'PENDING']);
  });

  it('of another life of the cluster have no log and are not cancelled', async () => {
    const { sky, backend } = await launched();
    const stranger = { cluster: CLUSTER, jobId: '00000000.2' };
    expect(await backend.logs([stranger])).toMatchObject([{ text: null }]);
    await backend.cancel([stranger]);
    expect(sky.paths()).not.toContain('/cancel');
  });
});

describe('logs', () => {
  it('hold what the job printed and nothing of SkyPilot', async () => {
    const { sky, backend } = await launched();
    const [one] = await backend.submit(CLUSTER, [task('good')]);
    const job = { cluster: CLUSTER, jobId: one?.status === 'submitted' ? one.jobId : '' };
    await sky.recorded('/logs', 'log-good');
    expect(await backend.logs([job])).toEqual([{ ...job, text: 'step 1\nval_bpb: 0.99\nto stderr\n' }]);
    await sky.recorded('/logs', 'log-bad');
    expect((await backend.logs([job]))[0]?.text).toBe('before it fails\n');
    await sky.recorded('/logs', 'log-none');
    expect((await backend.logs([job]))[0]?.text).toBeNull();
  });

  it('of a job that ended well are asked for until they are whole, or are none', async () => {
    const { sky, backend } = await launched();
    await backend.submit(CLUSTER, [task('good')]);
    await sky.recorded('/queue', 'queue');
    await sky.recorded('/logs', 'log-bad'); // of the one that failed
    const [job] = await backend.jobs([CLUSTER]);
    if (job?.status !== 'SUCCEEDED') expect.fail();
    const printed =
      '(good, pid=1) step 1\n(good, pid=1) val_bpb: 0.99\n(good, pid=1) \n(good, pid=1) AUTORESEARCH_EXIT 0\n';
    const asked = sky.bodies('/logs').length;
    sky.text('/logs', printed.slice(0, 40));
    const log = backend.logs([job]);
    await vi.waitFor(() => expect(sky.bodies('/logs').length).toBeGreaterThan(asked));
    sky.text('/logs', printed);
    expect((await log)[0]?.text).toBe('step 1\nval_bpb: 0.99\n\nAUTORESEARCH_EXIT 0\n');
    // It takes as long as the pauses between the tries.
    sky.text('/logs', printed.slice(0, 40));
    expect((await backend.logs([job]))[0]?.text).toBeNull();
  });

  it('are none of a job whose submission was cut off before it could run', async () => {
    const { sky, backend } = await launched();
    const [one] = await backend.submit(CLUSTER, [task('good')]);
    const job = { cluster: CLUSTER, jobId: one?.status === 'submitted' ? one.jobId : '' };
    // As a server said that was started again after it was killed between making the job and starting its driver.
    sky.text('/logs', 'ERROR: Logs for job 4 (status: FAILED_DRIVER) does not exist.\n');
    expect((await backend.logs([job]))[0]?.text).toBeNull();
  });
});

describe('offers', () => {
  it('of Slurm are what is free', async () => {
    const sky = await recordedSky();
    await sky.recorded('/slurm_gpu_availability', 'availability');
    expect(await backendOn(sky, await memoryFolder()).offers()).toEqual([
      { accelerators: 'H100:1', infra: 'slurm/fakehpc', free: 4, pricePerHourUsd: null },
      { accelerators: 'H200:1', infra: 'slurm/fakehpc', free: 2, pricePerHourUsd: null },
    ]);
    sky.answer('/slurm_gpu_availability', succeeded([['fakehpc', [['H100', [1], 4, 0]], null]]));
    expect(await backendOn(sky, await memoryFolder()).offers()).toEqual([]);
  });
});
