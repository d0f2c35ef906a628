import { expect } from 'vitest';
import { ClusterName } from '../../../src/ports/cluster-backend.js';
import type { Promises } from './bench.js';

const NOBODY = ClusterName.parse('contract-nobody');

export const running: Promises = {
  'a cluster runs its jobs one at a time, first in, first out': async (bench) => {
    const cluster = await bench.cluster();
    // Each says itself when it began and ended: two that ran side by side would interleave.
    const task = (name: string) => bench.task(name, `echo ${name} >> order; sleep 0.5; echo ${name} >> order`);
    await bench.submit(cluster, task('c'));
    // Those of one call may change places among themselves.
    await bench.backend.submit(cluster, [task('b'), task('a')]);
    await bench.submit(cluster, task('d'));
    const ran = (await bench.output(cluster, 'cat order')).match(/^[abcd]$/gm)?.join('');
    expect(['ccbbaadd', 'ccaabbdd']).toContain(ran);
  },

  'a task whose name the queue has seen is answered with its job and not run again': async (bench) => {
    const cluster = await bench.cluster();
    const task = bench.task('once', 'echo once >> count; cat count');
    const [one, same] = await bench.backend.submit(cluster, [task, task]);
    expect(one?.status).toBe('submitted');
    expect(same).toEqual(one);
    const [jobId] = await bench.submit(cluster, task);
    expect(one).toMatchObject({ jobId });
    await bench.ended(cluster);
    expect(await bench.submit(cluster, task)).toEqual([jobId]);
    expect(await bench.ended(cluster)).toHaveLength(1);
    expect((await bench.output(cluster, 'cat count')).match(/once/g)).toHaveLength(1);
  },

  'two processes that submit the same tasks at once get the same jobs': async (bench) => {
    const cluster = await bench.cluster();
    const tasks = Array.from({ length: 5 }, (_, index) => bench.task(`task-${index}`, 'true'));
    const backends = [bench.backend, await bench.laterProcess(), await bench.laterProcess()];
    const answers = await Promise.all(backends.map((backend) => backend.submit(cluster, tasks)));
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect((await bench.ended(cluster)).map(({ name }) => name).sort()).toEqual(tasks.map(({ name }) => name));
  },

  'a refused task is rejected and never fails its neighbours': async (bench) => {
    const cluster = await bench.cluster();
    const submissions = await bench.backend.submit(cluster, [
      bench.task('before', 'true'),
      bench.task('lost', 'true', { environmentKey: 'nobody-launched-this' }),
      bench.task('after', 'true'),
    ]);
    expect(submissions.map(({ status }) => status)).toEqual(['submitted', 'rejected', 'submitted']);
    expect(submissions[1]).toMatchObject({ name: 'lost', reason: expect.stringContaining('nobody-launched-this') });
    expect((await bench.ended(cluster)).map(({ name }) => name).sort()).toEqual(['after', 'before']);
  },

  'submitting to a cluster that does not exist throws backend_failed': async (bench) => {
    await expect(bench.backend.submit(NOBODY, [bench.task('one', 'true')])).rejects.toMatchObject({
      code: 'backend_failed',
      message: expect.stringContaining(NOBODY),
    });
  },

  'a job sees the variables of its environment and its own, and starts in the working directory': async (bench) => {
    const environment = await bench.environment({ envs: { SHARED: 'of the environment', BOTH: 'environment' } });
    const cluster = await bench.cluster(environment);
    const run = 'echo "$SHARED, $BOTH, $OWN"; cat base.txt';
    const task = bench.task('one', run, { envs: { OWN: 'of the task', BOTH: 'task' } });
    const [jobId = ''] = await bench.submit(cluster, task);
    await bench.ended(cluster);
    expect(await bench.log(cluster, jobId)).toMatch(/of the environment, task, of the task\s+the base/);
  },

  'run is bash, with any text of any length in it': async (bench) => {
    const cluster = await bench.cluster();
    const long = 'x'.repeat(400_000);
    const run = `words=("it's" '"quoted"'); text='${long}'\necho "\${words[@]}" \${#text} $((1 + 1)) ''é`;
    expect(await bench.output(cluster, run)).toContain(`it's "quoted" 400000 2 é`);
  },

  'a job tells when it was submitted, started and ended, and with which code': async (bench) => {
    const cluster = await bench.cluster();
    const before = Date.now();
    await bench.submit(cluster, bench.task('well', 'sleep 0.1'), bench.task('badly', 'exit 7'));
    const [well, badly] = await bench.ended(cluster);
    expect(well).toMatchObject({ cluster, name: 'well', status: 'SUCCEEDED', exitCode: 0, timedOut: false });
    expect(badly).toMatchObject({ name: 'badly', status: 'FAILED', exitCode: 7, timedOut: false });
    const times = [before, well?.submittedAt, well?.startedAt, well?.endedAt, Date.now()].map((time) => time ?? 0);
    // A second of tolerance: the machines' clocks are not ours.
    expect(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0) - 1000)).toBe(true);
  },

  'a job is PENDING while another runs, and has no start, end or code then': async (bench) => {
    const cluster = await bench.cluster();
    const [first = '', second = ''] = await bench.submit(
      cluster,
      bench.task('one', 'sleep 30'),
      bench.task('two', 'true'),
    );
    await bench.reaches(cluster, first, 'RUNNING');
    const jobs = await bench.backend.jobs([cluster]);
    expect(jobs[0]).toMatchObject({ jobId: first, status: 'RUNNING', endedAt: null, exitCode: null });
    expect(jobs[1]).toMatchObject({ jobId: second, status: 'PENDING', startedAt: null, endedAt: null, exitCode: null });
  },

  'jobs of clusters that do not exist are left out': async (bench) => {
    const cluster = await bench.cluster();
    await bench.submit(cluster, bench.task('one', 'true'));
    expect((await bench.backend.jobs([NOBODY, cluster])).map(({ name }) => name)).toEqual(['one']);
  },

  'clusters and jobs are found by name by any later process': async (bench) => {
    const cluster = await bench.cluster();
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', 'echo from before'));
    const jobs = await bench.ended(cluster);
    const later = await bench.laterProcess();
    expect(await later.clusters([cluster])).toEqual(await bench.backend.clusters([cluster]));
    expect(await later.jobs([cluster])).toEqual(jobs);
    expect((await later.logs([{ cluster, jobId }]))[0]?.text).toContain('from before');
    expect((await later.submit(cluster, [bench.task('one', 'echo again')]))[0]).toMatchObject({ jobId });
  },

  'there is one log for each job asked for, in that order, stdout and stderr in one': async (bench) => {
    const cluster = await bench.cluster();
    const ids = await bench.submit(
      cluster,
      bench.task('one', 'echo to stdout; echo to stderr >&2'),
      bench.task('two', 'echo second'),
    );
    await bench.ended(cluster);
    const refs = ids.map((jobId) => ({ cluster, jobId }));
    const logs = await bench.backend.logs([...refs, { cluster: NOBODY, jobId: '1' }].toReversed());
    expect(logs.map(({ jobId }) => jobId)).toEqual(['1', ids[1], ids[0]]);
    expect(logs[0]?.text).toBeNull();
    expect(logs[1]?.text).toContain('second');
    expect(logs[2]?.text).toMatch(/to stdout[\s\S]*to stderr/);
  },

  'a log can be read while its job runs': async (bench) => {
    const cluster = await bench.cluster();
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', 'echo step=1; sleep 300'));
    expect(await bench.number(cluster, jobId, 'step')).toBe(1);
    expect((await bench.backend.jobs([cluster]))[0]?.status).toBe('RUNNING');
  },

  'of a log that is very long, the first 64 KB and the last 4 MB are kept': async (bench) => {
    const cluster = await bench.cluster();
    const text = await bench.output(
      cluster,
      'echo first line; yes "a line of the middle" | head -c 6000000; echo last line',
    );
    expect(text.startsWith('first line')).toBe(true);
    // Behind it nothing but how the job ended, where a wrapper says it.
    expect(text.trimEnd()).toMatch(/last line(\n+AUTORESEARCH_EXIT 0)?$/);
    expect(text.length).toBeGreaterThan(4 * 1024 * 1024);
    expect(text.length).toBeLessThan(4.2 * 1024 * 1024);
  },
};
