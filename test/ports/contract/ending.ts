import { randomInt } from 'node:crypto';
import { execa } from 'execa';
import { expect } from 'vitest';
import { ClusterName } from '../../../src/ports/cluster-backend.js';
import type { Promises } from './bench.js';

/** A child as it should be, one that takes no SIGTERM, and one in a session of its own that takes none either. */
const family = (seconds: number) => `
sleep ${seconds} & echo "plain=$!"
bash -c 'trap "" TERM; echo "stubborn=$$"; while :; do sleep ${seconds}; done' &
setsid bash -c 'trap "" TERM; echo "runaway=$$"; while :; do sleep ${seconds}; done' &
while [ "$waited" != xxx ]; do sleep 0.1; waited="x$waited"; done
`;
const FAMILY = family(300);
const NAMES = ['plain', 'stubborn', 'runaway'];

const DOWN_ENDS_JOBS = 'down ends what runs, with all that it started, and what waits never runs';
const DOWN_ENDS_SETUP = 'down ends a setup that runs';
/** Promises of which only whoever is on the machine can see whether they are kept, for the cluster is gone. */
export const SEEN_ON_THE_MACHINE = [DOWN_ENDS_JOBS, DOWN_ENDS_SETUP];

/** How many processes on this machine are a `sleep` of so many seconds. */
async function sleepers(seconds: number): Promise<number> {
  const { stdout } = await execa('ps', ['-eo', 'stat=,args=']);
  const alive = new RegExp(`^[^Z]\\S* +sleep ${seconds}$`);
  return stdout.split('\n').filter((line) => alive.test(line)).length;
}

export const ending: Promises = {
  'nothing that a job started is left when it has ended': async (bench) => {
    const cluster = await bench.cluster();
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', `${FAMILY}\nexit 0`));
    const [job] = await bench.ended(cluster);
    expect(job).toMatchObject({ status: 'SUCCEEDED', exitCode: 0 });
    const pids = await Promise.all(NAMES.map((name) => bench.number(cluster, jobId, name)));
    expect(await bench.alive(cluster, pids)).toEqual([]);
  },

  'a job that is past timeoutSeconds of run is ended with all that it started: FAILED, timedOut': async (bench) => {
    const cluster = await bench.cluster(await bench.environment({ setup: 'sleep 2' }));
    const [jobId = ''] = await bench.submit(
      cluster,
      bench.task('one', `${FAMILY}\nwait`, { timeoutSeconds: 1 }),
      bench.task('two', 'true'),
    );
    const [job, next] = await bench.ended(cluster);
    expect(job).toMatchObject({ status: 'FAILED', timedOut: true });
    expect(next).toMatchObject({ status: 'SUCCEEDED', timedOut: false });
    const ranMs = (job?.endedAt ?? 0) - (job?.startedAt ?? 0);
    expect(ranMs).toBeGreaterThanOrEqual(900);
    expect(ranMs).toBeLessThan(bench.seconds(6));
    const pids = await Promise.all(NAMES.map((name) => bench.number(cluster, jobId, name)));
    expect(await bench.alive(cluster, pids)).toEqual([]);
  },

  'a job that is cancelled is gone on return, with all that it started, and the next one runs': async (bench) => {
    const cluster = await bench.cluster();
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', `${FAMILY}\nwait`), bench.task('two', 'true'));
    const pids = await Promise.all(NAMES.map((name) => bench.number(cluster, jobId, name)));
    await bench.backend.cancel([{ cluster, jobId }]);
    const [job] = await bench.backend.jobs([cluster]);
    expect(job).toMatchObject({ jobId, status: 'CANCELLED', timedOut: false });
    expect(await bench.alive(cluster, pids)).toEqual([]);
    expect((await bench.ended(cluster)).map(({ status }) => status)).toEqual(['CANCELLED', 'SUCCEEDED', 'SUCCEEDED']);
  },

  'a job that is cancelled while it waits never runs': async (bench) => {
    const cluster = await bench.cluster();
    const [first = '', second = '', third = ''] = await bench.submit(
      cluster,
      bench.task('one', 'sleep 300'),
      bench.task('two', 'echo ran'),
      bench.task('three', 'echo ran'),
    );
    await bench.reaches(cluster, first, 'RUNNING');
    await bench.backend.cancel([{ cluster, jobId: second }]);
    const [running, waiting] = await bench.backend.jobs([cluster]);
    expect(running?.status).toBe('RUNNING');
    expect(waiting).toMatchObject({ jobId: second, status: 'CANCELLED', startedAt: null });
    await bench.backend.cancel([
      { cluster, jobId: first },
      { cluster, jobId: third },
    ]);
    expect(await bench.log(cluster, second)).not.toContain('ran');
    expect((await bench.ended(cluster)).every(({ status }) => status === 'CANCELLED')).toBe(true);
  },

  'cancel is silent about jobs that have ended or never were': async (bench) => {
    const cluster = await bench.cluster();
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', 'true'));
    const jobs = await bench.ended(cluster);
    const nobody = ClusterName.parse('contract-nobody');
    await bench.backend.cancel([
      { cluster, jobId },
      { cluster, jobId: '999999' },
      { cluster: nobody, jobId: '1' },
    ]);
    expect(await bench.backend.jobs([cluster])).toEqual(jobs);
  },

  [DOWN_ENDS_JOBS]: async (bench) => {
    const cluster = await bench.cluster();
    const seconds = randomInt(1e5, 1e6);
    await bench.submit(cluster, bench.task('one', `${family(seconds)}\nwait`), bench.task('two', `sleep ${seconds}`));
    await bench.until(async () => (await sleepers(seconds)) === NAMES.length);
    await bench.backend.down([cluster]);
    expect(await bench.backend.clusters([cluster])).toEqual([]);
    expect(await bench.backend.jobs([cluster])).toEqual([]);
    expect(await sleepers(seconds)).toBe(0);
  },

  [DOWN_ENDS_SETUP]: async (bench) => {
    const seconds = randomInt(1e5, 1e6);
    const cluster = await bench.cluster(await bench.environment({ setup: `sleep ${seconds}` }));
    await bench.until(async () => (await sleepers(seconds)) === 1);
    await bench.backend.down([cluster]);
    expect(await sleepers(seconds)).toBe(0);
  },

  'down is silent about clusters that are gone': async (bench) => {
    const cluster = await bench.cluster();
    await bench.backend.down([cluster, cluster]);
    await bench.backend.down([cluster, ClusterName.parse('contract-nobody')]);
    expect(await bench.backend.clusters([cluster])).toEqual([]);
  },

  'nothing but the clusters named in a call is touched': async (bench) => {
    const [cluster, other] = [await bench.cluster(), await bench.cluster()];
    const [jobId = ''] = await bench.submit(other, bench.task('one', 'sleep 300'));
    await bench.reaches(other, jobId, 'RUNNING');
    const [job] = await bench.submit(cluster, bench.task('one', 'sleep 300'));
    await bench.backend.cancel([{ cluster, jobId: job ?? '' }]);
    await bench.backend.down([cluster]);
    expect(await bench.backend.clusters([cluster, other])).toMatchObject([{ name: other, status: 'UP' }]);
    expect(await bench.backend.jobs([cluster, other])).toMatchObject([{ cluster: other, jobId, status: 'RUNNING' }]);
  },

  'a name can be launched again after down, and nothing of before is taken for new': async (bench) => {
    const environment = await bench.environment();
    const cluster = await bench.cluster(environment);
    const [before = ''] = await bench.submit(cluster, bench.task('one', 'echo before'));
    await bench.ended(cluster);
    await bench.backend.down([cluster]);
    expect(await bench.backend.logs([{ cluster, jobId: before }])).toMatchObject([{ text: null }]);
    const [launch] = await bench.backend.launch([bench.request(cluster, environment)]);
    expect(launch?.status).toBe('accepted');
    await bench.until(async () => (await bench.backend.clusters([cluster]))[0]?.status === 'UP');
    expect(await bench.backend.jobs([cluster])).toEqual([]);
    const [after = ''] = await bench.submit(cluster, bench.task('one', 'echo after'));
    expect(after).not.toBe(before);
    await bench.ended(cluster);
    const logs = await bench.backend.logs([before, after].map((jobId) => ({ cluster, jobId })));
    expect(logs[0]?.text).toBeNull();
    expect(logs[1]?.text).toContain('after');
  },
};
