import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { HAS_PROC } from '../../../src/adapters/local/process-identity.js';
import { openWorkplace } from './workplace.js';

const CLUSTERS = 16;
const JOBS = 6;

// Real processes: sixteen queues on the two cores of a small machine are the point.
describe('sixteen clusters', () => {
  it('run a wave side by side, each its own queue in order, and rest when it is over', async () => {
    const { bench, runnerPid } = await openWorkplace(CLUSTERS);
    const names = Array.from({ length: CLUSTERS }, () => bench.name());
    const environment = await bench.environment();
    const startedAt = performance.now();
    const launches = await bench.backend.launch(names.map((name) => bench.request(name, environment)));
    const launchMs = performance.now() - startedAt;
    expect(launches.every(({ status }) => status === 'accepted')).toBe(true);
    expect(launchMs).toBeLessThan(5000);

    const tasks = Array.from({ length: JOBS }, (_, index) => bench.task(`task-${index}`, `sleep 0.2; echo ${index}`));
    await Promise.all(names.map((name) => bench.backend.submit(name, tasks)));
    await bench.until(async () => (await bench.backend.jobs(names)).every(({ endedAt }) => endedAt !== null));
    const jobs = await bench.backend.jobs(names);
    expect(jobs).toHaveLength(CLUSTERS * JOBS);
    expect(jobs.every(({ status }) => status === 'SUCCEEDED')).toBe(true);
    for (const name of names) {
      const own = jobs.filter(({ cluster }) => cluster === name);
      expect(own.map((job) => job.name)).toEqual(tasks.map((task) => task.name));
      const starts = own.map((job) => job.startedAt ?? 0);
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    }

    const lookedAt = performance.now();
    await Promise.all([bench.backend.clusters(names), bench.backend.jobs(names)]);
    expect(performance.now() - lookedAt).toBeLessThan(500);

    await sleep(1200); // the last news is recent enough to be looked at once more
    const before = names.map((name) => cpuTicks(runnerPid(name)));
    await sleep(1000);
    const spent = names.map((name, index) => cpuTicks(runnerPid(name)) - (before[index] ?? 0));
    // 100 ticks are one core's second: all sixteen together take less than a fifth of one.
    expect(spent.reduce((sum, ticks) => sum + ticks, 0)).toBeLessThan(20);
  });
});

/** User and system time; 0 where the system does not say. */
function cpuTicks(pid: number): number {
  if (!HAS_PROC) return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
