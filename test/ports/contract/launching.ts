import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { ClusterName } from '../../../src/ports/cluster-backend.js';
import type { Promises } from './bench.js';

const NOBODY = ClusterName.parse('contract-nobody');

export const launching: Promises = {
  'offers say what could be launched now': async (bench) => {
    const [best] = await bench.backend.offers();
    expect(best?.accelerators).toMatch(/^[A-Za-z0-9-]+:\d+$/);
    expect(best?.free === null || (best?.free ?? 0) > 0).toBe(true);
  },

  'a launch returns at once, and clusters tell when they are UP': async (bench) => {
    const cluster = bench.name();
    const environment = await bench.environment({ setup: 'sleep 3' });
    const startedAt = Date.now();
    const launches = await bench.backend.launch([bench.request(cluster, environment)]);
    expect(launches).toEqual([{ cluster, status: 'accepted' }]);
    expect(Date.now() - startedAt).toBeLessThan(bench.seconds(2.5));
    await bench.until(async () => (await bench.backend.clusters([cluster]))[0]?.status === 'UP');
  },

  'a cluster says what it really is': async (bench) => {
    const cluster = await bench.cluster(undefined, 7);
    const [found] = await bench.backend.clusters([cluster]);
    expect(found).toMatchObject({ name: cluster, status: 'UP', environmentKeys: ['first'], idleMinutes: 7 });
    expect(found?.accelerators).toMatch(/^[A-Za-z0-9-]+:\d+$/);
    expect(found?.hardware).toBeTruthy();
  },

  'clusters that do not exist are left out': async (bench) => {
    const cluster = await bench.cluster();
    const found = await bench.backend.clusters([NOBODY, cluster]);
    expect(found.map(({ name }) => name)).toEqual([cluster]);
  },

  'asking again for a cluster that exists only adds the environment, if its key is new there': async (bench) => {
    const first = await bench.environment();
    const cluster = await bench.cluster(first);
    const [jobId = ''] = await bench.submit(cluster, bench.task('before', 'echo before'));
    const second = await bench.environment({ key: 'second' }, { 'base.txt': 'another base\n' });
    const again = [first, second, first].map((environment) => bench.request(cluster, environment));
    for (const launch of await bench.backend.launch(again)) expect(launch).toEqual({ cluster, status: 'accepted' });
    const [found] = await bench.backend.clusters([cluster]);
    expect(found?.environmentKeys).toEqual(['first', 'second']);
    await bench.submit(cluster, bench.task('after', 'cat base.txt', { environmentKey: 'second' }));
    const jobs = await bench.ended(cluster);
    expect(jobs.map(({ name }) => name)).toEqual(['before', 'after']);
    expect(await bench.log(cluster, jobId)).toContain('before');
    expect(await bench.log(cluster, jobs[1]?.jobId ?? '')).toContain('another base');
  },

  'what there is no capacity for is rejected with the reason, and its neighbours are not': async (bench) => {
    const free = (await bench.backend.offers()).reduce((sum, offer) => sum + (offer.free ?? 0), 0);
    const environment = await bench.environment();
    const requests = Array.from({ length: free + 1 }, () => bench.request(bench.name(), environment));
    const launches = await bench.backend.launch(requests);
    expect(launches.filter(({ status }) => status === 'accepted')).toHaveLength(free);
    const rejected = launches.find((launch) => launch.status === 'rejected');
    expect(rejected?.reason).toMatch(/\w+/);
    expect(await bench.backend.offers()).toEqual([]);
    expect(await bench.backend.clusters(requests.map(({ cluster }) => cluster))).toHaveLength(free);
  },

  'the base is there whole, what its .gitignore names too, and its folder may go once the cluster is UP': async (
    bench,
  ) => {
    const files = { 'package/module.txt': 'deep\n', '.gitignore': '*.dat\n', 'tracked.dat': 'tracked\n' };
    const environment = await bench.environment({}, files);
    const cluster = await bench.cluster(environment);
    await rm(environment.workdir, { recursive: true });
    const text = await bench.output(cluster, 'cat base.txt package/module.txt tracked.dat');
    expect(text).toMatch(/the base\s+deep\s+tracked/);
  },

  'setup runs once a cluster and key, before the first job of that key': async (bench) => {
    const cluster = await bench.cluster(await bench.environment({ setup: 'sleep 1; echo once >> made-by-setup' }));
    const ids = await bench.submit(
      cluster,
      bench.task('one', 'cat made-by-setup'),
      bench.task('two', 'cat made-by-setup'),
    );
    await bench.reaches(cluster, ids[0] ?? '', 'SETTING_UP');
    await bench.ended(cluster);
    for (const jobId of ids) expect((await bench.log(cluster, jobId)).match(/once/g)).toHaveLength(1);
  },

  'another key on the same cluster is prepared before its first job': async (bench) => {
    const cluster = await bench.cluster(await bench.environment({ setup: 'echo first > made-by-setup' }));
    await bench.submit(cluster, bench.task('one', 'cat made-by-setup'));
    const second = await bench.environment({ key: 'second', setup: 'echo second > made-by-setup' });
    await bench.backend.launch([bench.request(cluster, second)]);
    await bench.submit(cluster, bench.task('two', 'cat made-by-setup', { environmentKey: 'second' }));
    const jobs = await bench.ended(cluster);
    expect(jobs.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bench.log(cluster, jobs[1]?.jobId ?? '')).toContain('second');
  },

  'a job whose setup fails is FAILED_SETUP, and its log says why': async (bench) => {
    const cluster = await bench.cluster(await bench.environment({ setup: 'sleep 1; echo no such wheel; exit 3' }));
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', 'echo ran'));
    const jobs = await bench.ended(cluster);
    expect(jobs).toMatchObject([{ status: 'FAILED_SETUP', timedOut: false }]);
    const log = await bench.log(cluster, jobId);
    expect(log).toContain('no such wheel');
    expect(log).not.toContain('ran');
  },

  'a cluster ends by itself after its idle minutes with an empty queue, and not before': async (bench) => {
    const idleMinutes = bench.seconds(1.2) / 60_000;
    const cluster = await bench.cluster(undefined, idleMinutes);
    await bench.submit(cluster, bench.task('longer-than-that', `sleep ${bench.seconds(1.8) / 1000}`));
    await sleep(bench.seconds(1.6));
    expect(await bench.backend.clusters([cluster])).toHaveLength(1);
    await bench.until(async () => (await bench.backend.clusters([cluster])).length === 0);
  },

  'the results of a cluster that ended by itself can still be read, until it is brought down': async (bench) => {
    const cluster = await bench.cluster(undefined, bench.seconds(0.6) / 60_000);
    const [jobId = ''] = await bench.submit(cluster, bench.task('one', 'echo the result'));
    await bench.until(async () => (await bench.backend.clusters([cluster])).length === 0);
    const later = await bench.laterProcess();
    expect(await later.jobs([cluster])).toMatchObject([{ cluster, jobId, name: 'one', status: 'SUCCEEDED' }]);
    expect(await later.logs([{ cluster, jobId }])).toMatchObject([{ text: expect.stringContaining('the result') }]);
    await later.down([cluster]);
    expect(await later.jobs([cluster])).toEqual([]);
  },
};
