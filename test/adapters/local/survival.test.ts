import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLocalBackend } from '../../../src/adapters/local/local-backend.js';
import { identify, isRunning } from '../../../src/adapters/local/process-identity.js';
import { anotherProcess, openWorkplace, temporaryFolder } from './workplace.js';

// Real processes throughout: what is shown is who outlives whom.
describe('clusters of this machine', () => {
  it('run on, and on to the next job, when the process that submitted is killed', async () => {
    const { bench, directory } = await openWorkplace(1);
    const name = bench.name();
    const request = bench.request(name, await bench.environment());
    const tasks = [bench.task('one', 'sleep 1; echo first'), bench.task('two', 'echo second')];
    const { child } = anotherProcess(
      'local-backend.js',
      `const backend = it.createLocalBackend({ directory: ${JSON.stringify(directory)}, slots: 1 });
       await backend.launch([${JSON.stringify(request)}]);
       await backend.submit(${JSON.stringify(name)}, ${JSON.stringify(tasks)});
       console.log('submitted');
       setInterval(() => {}, 1000);`,
    );
    if (child.stdout) await once(child.stdout, 'data');
    child.kill('SIGKILL');
    const jobs = await bench.ended(name);
    expect(jobs.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bench.log(name, jobs[1]?.jobId ?? '')).toContain('second');
  });

  it('are none any more when their runner was killed: who works with it next ends its job, and its slot and name are free', async () => {
    const { bench, runnerPid } = await openWorkplace(1);
    const cluster = await bench.cluster();
    const run = 'sleep 300 & setsid sleep 300 & echo "one=$$ two=$!"; wait';
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', run), bench.task('two', 'true'));
    const pids = [await bench.number(cluster, jobId, 'one'), await bench.number(cluster, jobId, 'two')];
    process.kill(runnerPid(cluster), 'SIGKILL');
    await bench.until(async () => (await bench.backend.clusters([cluster])).length === 0);
    expect(await bench.backend.jobs([cluster])).toEqual([]);
    await expect(bench.backend.submit(cluster, [bench.task('three', 'true')])).rejects.toThrow(cluster);
    expect(pids.filter((pid) => isAlive(pid))).toEqual([]);
    expect(await bench.backend.offers()).toMatchObject([{ free: 1 }]);
    const [launch] = await bench.backend.launch([bench.request(cluster, await bench.environment())]);
    expect(launch?.status).toBe('accepted');
    expect(await bench.backend.jobs([cluster])).toEqual([]);
  });

  it('still tell what had ended when their runner was killed, and are changed by nobody who only looks', async () => {
    const { bench, directory, runnerPid } = await openWorkplace(1);
    const cluster = await bench.cluster();
    const [first = ''] = await bench.submit(
      cluster,
      bench.task('one', 'echo "the result"'),
      bench.task('two', 'sleep 300'),
    );
    await bench.reaches(cluster, first, 'SUCCEEDED');
    process.kill(runnerPid(cluster), 'SIGKILL');
    await bench.until(async () => (await bench.backend.clusters([cluster])).length === 0);
    expect(await bench.backend.jobs([cluster])).toMatchObject([{ jobId: first, status: 'SUCCEEDED' }]);
    expect(await bench.log(cluster, first)).toContain('the result');
    expect(existsSync(join(directory, cluster))).toBe(true);
  });

  it('tell what had ended from the moment they left by themselves, while their runner still tidies up', async () => {
    const { bench, directory } = await openWorkplace(1);
    const cluster = await bench.cluster(undefined, 0.3 / 60);
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', 'echo "the result"'));
    await bench.until(async () => (await bench.backend.clusters([cluster])).length === 0);
    // As if it were not through yet: the runner's process lives.
    await writeFile(join(directory, `.ended-${cluster}`, 'runner.json'), JSON.stringify(identify(process.pid)));
    expect(await bench.backend.jobs([cluster])).toMatchObject([{ jobId, status: 'SUCCEEDED' }]);
    expect(await bench.log(cluster, jobId)).toContain('the result');
  });

  it('give their slot to another when their runner was killed and nobody looked', async () => {
    const { bench, runnerPid } = await openWorkplace(1);
    const dead = await bench.cluster();
    const [jobId = ''] = await bench.submit(dead, bench.task('one', 'echo "job=$$"; sleep 300'));
    const pid = await bench.number(dead, jobId, 'job');
    process.kill(runnerPid(dead), 'SIGKILL');
    await sleep(50);
    await bench.cluster();
    expect(isAlive(pid)).toBe(false);
  });

  it('never take a process that has got the number of a dead one for theirs', () => {
    expect(isRunning({ pid: process.pid, startedAt: 'at another time' })).toBe(false);
  });

  it('end with their folder, should somebody remove it', async () => {
    const { bench, directory, runnerPid } = await openWorkplace(1);
    const cluster = await bench.cluster();
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', 'echo "job=$$"; sleep 300'));
    const pids = [await bench.number(cluster, jobId, 'job'), runnerPid(cluster)];
    execFileSync('rm', ['-rf', join(directory, cluster)]);
    await bench.until(async () => !pids.some(isAlive));
  });

  it('end in order when the system asks their runner to end', async () => {
    const { bench, directory, runnerPid } = await openWorkplace(1);
    const cluster = await bench.cluster();
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', 'echo "job=$$"; sleep 300'));
    const pids = [await bench.number(cluster, jobId, 'job'), runnerPid(cluster)];
    process.kill(runnerPid(cluster), 'SIGTERM');
    await bench.until(async () => !pids.some(isAlive));
    expect(existsSync(join(directory, cluster))).toBe(false);
  });

  it('take a job that comes as they end for being idle, or refuse it, and never lose it', async () => {
    const { bench } = await openWorkplace(8);
    const evidence = await temporaryFolder();
    const environment = await bench.environment();
    const outcomes: { index: number; taken: boolean }[] = [];
    // One round after the other, for a slow machine still holds the slots of the one before.
    for (let round = 0; round < 3; round++) {
      const clusters = await Promise.all(Array.from({ length: 8 }, () => bench.cluster(environment, 0.3 / 60)));
      const answers = await Promise.all(
        clusters.map(async (cluster, place) => {
          const index = 8 * round + place;
          await sleep(120 + place * 35);
          try {
            await bench.submit(cluster, bench.task('late', `touch '${evidence}/${index}'`));
            return { index, taken: true };
          } catch {
            return { index, taken: false };
          }
        }),
      );
      outcomes.push(...answers);
      await bench.until(async () => (await bench.backend.clusters(clusters)).length === 0);
    }
    const taken = outcomes.filter((outcome) => outcome.taken).map(({ index }) => String(index));
    expect(taken.length).toBeGreaterThan(0);
    await bench.until(async () => (await readdir(evidence)).length >= taken.length);
    expect((await readdir(evidence)).toSorted()).toEqual(taken.toSorted());
  });

  it('run a job whose submission began before they would have ended for being idle', async () => {
    const { bench, directory } = await openWorkplace(1);
    const evidence = await temporaryFolder();
    const cluster = await bench.cluster(undefined, 0.4 / 60);
    // Reading the clock is what submit does under the lock: slow enough, and the idle time is over while it holds it.
    const now = (): number => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
      return Date.now();
    };
    const slow = createLocalBackend({ directory, slots: 1, now });
    await slow.submit(cluster, [bench.task('late', `touch '${evidence}/ran'`)]);
    await bench.until(async () => existsSync(join(evidence, 'ran')));
  });

  it('write nothing of the variables that they inherit to disk', async () => {
    process.env['TEST_SECRET_TOKEN'] = 'hush-8f3a';
    try {
      const { bench, directory } = await openWorkplace(1);
      const cluster = await bench.cluster(await bench.environment({ setup: 'test -n "$TEST_SECRET_TOKEN"' }));
      expect(await bench.output(cluster, 'echo "is=$TEST_SECRET_TOKEN" | wc -c')).toContain('13');
      const files = await readdir(directory, { recursive: true, withFileTypes: true });
      const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
      expect(paths.length).toBeGreaterThan(5);
      for (const path of paths) expect(await readFile(path, 'latin1')).not.toContain('hush-8f3a');
    } finally {
      delete process.env['TEST_SECRET_TOKEN'];
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}
