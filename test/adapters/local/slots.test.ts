import { describe, expect, it } from 'vitest';
import { ClusterName } from '../../../src/ports/cluster-backend.js';
import { anotherProcess, openWorkplace } from './workplace.js';

describe('slots of this machine', () => {
  it('are held by one cluster each; without a free one a launch is told who holds them', async () => {
    const { bench } = await openWorkplace(1);
    const cluster = await bench.cluster();
    const [launch] = await bench.backend.launch([bench.request(bench.name(), await bench.environment())]);
    expect(launch).toMatchObject({ status: 'rejected', reason: expect.stringContaining(`by ${cluster}`) });
    await bench.backend.down([cluster]);
    expect(await bench.backend.offers()).toMatchObject([{ free: 1 }]);
  });

  it('tell a job how many threads are its own', async () => {
    const { bench } = await openWorkplace(2);
    const cluster = await bench.cluster();
    const [found] = await bench.backend.clusters([cluster]);
    const text = await bench.output(cluster, 'echo "CPU:$OMP_NUM_THREADS gpus=$SKYPILOT_NUM_GPUS_PER_NODE"');
    expect(text.trim()).toBe(`${found?.accelerators} gpus=0`);
  });

  it('refuse an environment key that is no file name, before anything is made', async () => {
    const { bench } = await openWorkplace(1);
    const environment = await bench.environment({ key: '../../elsewhere' });
    const [launch] = await bench.backend.launch([bench.request(bench.name(), environment)]);
    expect(launch).toMatchObject({ status: 'rejected', reason: expect.stringContaining('../../elsewhere') });
  });

  // Four real servers: only separate processes can both find a name, or a slot, free.
  it('go to one cluster each, and a name to one runner, when several processes launch and submit at once', async () => {
    const { bench, directory, runnerPid } = await openWorkplace(3);
    const names = [bench.name(), bench.name(), bench.name()];
    const environment = await bench.environment();
    const tasks = [1, 2, 3].map((number) => bench.task(`task-${number}`, 'echo ran >> count; cat count'));
    const code = `
      const backend = it.createLocalBackend({ directory: ${JSON.stringify(directory)}, slots: 3 });
      const names = ${JSON.stringify(names)};
      const launches = await backend.launch(${JSON.stringify(names.map((name) => bench.request(name, environment)))});
      const jobs = await Promise.all(names.map((name) => backend.submit(name, ${JSON.stringify(tasks)})));
      console.log(JSON.stringify({ launches, jobs }));`;
    const processes = Array.from({ length: 4 }, () => anotherProcess('local-backend.js', code).output);
    const [first, ...others] = await Promise.all(processes);
    expect(first).toContain('accepted');
    expect(first).not.toContain('rejected');
    for (const other of others) expect(other).toBe(first);

    expect(new Set(names.map(runnerPid)).size).toBe(3);
    expect(await bench.backend.offers()).toEqual([]);
    for (const name of names) {
      const jobs = await bench.ended(name);
      expect(jobs.map((job) => job.name)).toEqual(['task-1', 'task-2', 'task-3']);
      expect((await bench.log(name, jobs[2]?.jobId ?? '')).trim().split('\n')).toHaveLength(3);
    }
  });

  it('lose no cluster of another project to a launch', async () => {
    const one = await openWorkplace(1);
    const other = await openWorkplace(1);
    const cluster = await one.bench.cluster();
    await other.bench.cluster();
    await other.bench.backend.down([cluster, ClusterName.parse('gpu-01')]);
    expect(await one.bench.backend.clusters([cluster])).toHaveLength(1);
  });
});
