import { describe, expect, it, vi } from 'vitest';
import { acceleratorsOf, clusterStatusOf, jobStatusOf } from '../../../src/adapters/skypilot/words.js';
import { backendOn, CLUSTER, failed, memoryFolder, recordedSky, request, task } from './recorded-sky.js';

describe('words', () => {
  it('that are unknown are errors', () => {
    expect(() => jobStatusOf('DREAMING')).toThrow('DREAMING');
    expect(() => clusterStatusOf('DREAMING')).toThrow('DREAMING');
  });

  it('of accelerators are read from a Python dict', () => {
    expect(acceleratorsOf("{'H200': 1}")).toBe('H200:1');
    expect(acceleratorsOf("{'A100-80GB': 8.0}")).toBe('A100-80GB:8');
    expect(acceleratorsOf(null)).toBeNull();
  });
});

describe('a launch', () => {
  it('asks for the accelerators in order, on that infra, with autodown', async () => {
    const sky = await recordedSky();
    expect(await backendOn(sky, await memoryFolder()).launch([request])).toEqual([
      { cluster: CLUSTER, status: 'accepted' },
    ]);
    const [body] = sky.bodies('/launch');
    expect(body).toMatchObject({ cluster_name: CLUSTER, idle_minutes_to_autostop: 10, down: true });
    expect(body?.['task']).toContain('accelerators:\n    - H200:1\n    - H100:1\n  infra: slurm/fakehpc');
    expect(body?.['task']).toContain(`workdir: ${request.environment.workdir}`);
  });

  it('that was asked for is not asked for again by a later process', async () => {
    const [sky, folder] = [await recordedSky(), await memoryFolder()];
    await sky.recorded('/status', 'status-up');
    await backendOn(sky, folder).launch([request]);
    await backendOn(sky, folder).launch([request]);
    expect(sky.bodies('/launch')).toHaveLength(1);
  });

  it('of a name whose cluster ended by itself is a new one', async () => {
    const [sky, folder] = [await recordedSky(), await memoryFolder()];
    await sky.recorded('/status', 'status-none');
    await backendOn(sky, folder).launch([request]);
    await backendOn(sky, folder).launch([request]);
    expect(sky.bodies('/launch')).toHaveLength(2);
  });

  it('that failed is a cluster that is STOPPED, with the reason', async () => {
    const sky = await recordedSky();
    await sky.recorded('/launch', 'resources-unavailable');
    await sky.recorded('/status', 'status-none');
    const backend = backendOn(sky, await memoryFolder());
    await backend.launch([request]);
    const [cluster] = await backend.clusters([CLUSTER]);
    expect(cluster?.status).toBe('STOPPED');
    expect(cluster?.statusReason).toMatch(/^ResourcesUnavailableError: Catalog does not contain/);
  });

  it('that failed with pages of words is told by their beginning, on one line', async () => {
    const sky = await recordedSky();
    sky.answer('/launch', failed('CommandError', `setup failed\n${'  File "x.py", line 1\n'.repeat(200)}`));
    await sky.recorded('/status', 'status-none');
    const backend = backendOn(sky, await memoryFolder());
    await backend.launch([request]);
    const [cluster] = await backend.clusters([CLUSTER]);
    expect(cluster?.statusReason).toMatch(/^CommandError: setup failed File "x\.py", line 1 .{1,300}…$/);
  });

  it('that is under way is INIT, whatever the record says', async () => {
    const sky = await recordedSky();
    const backend = backendOn(sky, await memoryFolder());
    await backend.launch([request]);
    sky.state('RUNNING');
    await sky.recorded('/status', 'status-init');
    expect(await backend.clusters([CLUSTER])).toMatchObject([
      { status: 'INIT', statusReason: expect.stringMatching(/\w/) },
    ]);
    await sky.recorded('/status', 'status-up');
    expect(await backend.clusters([CLUSTER])).toMatchObject([{ status: 'INIT' }]);
  });
});

describe('clusters', () => {
  it('say what they are, and no credentials are asked for', async () => {
    const sky = await recordedSky();
    await sky.recorded('/status', 'status-up');
    const backend = backendOn(sky, await memoryFolder());
    await backend.launch([request]);
    expect(await backend.clusters([CLUSTER])).toMatchObject([
      { name: CLUSTER, status: 'UP', accelerators: 'H200:1', environmentKeys: ['first'], idleMinutes: 10 },
    ]);
    expect(sky.bodies('/status').at(-1)).toMatchObject({ include_credentials: false, include_handle: false });
  });

  it('that are gone are left out', async () => {
    const sky = await recordedSky();
    await sky.recorded('/status', 'status-none');
    expect(await backendOn(sky, await memoryFolder()).clusters([CLUSTER])).toEqual([]);
  });

  const forced = (sky: Awaited<ReturnType<typeof recordedSky>>) =>
    sky.bodies('/status').flatMap(({ refresh, cluster_names }) => (refresh === 'FORCE' ? [cluster_names] : []));

  it('are looked for with FORCE where nothing was heard of them for two minutes', async () => {
    const sky = await recordedSky();
    let now = 0;
    const backend = backendOn(sky, await memoryFolder(), { now: () => now });
    await sky.recorded('/status', 'status-up');
    await sky.recorded('/queue', 'queue');
    await backend.launch([request]);
    for (now of [1_000, 59_000]) await backend.clusters([CLUSTER]);
    await backend.jobs([CLUSTER]);
    for (now of [60_000, 178_000]) await backend.clusters([CLUSTER]);
    expect(forced(sky)).toEqual([]);
    for (now of [179_000, 180_000]) await backend.clusters([CLUSTER]);
    await vi.waitFor(() => expect(forced(sky)).toEqual([[CLUSTER]]));
  });

  it('are looked for at once when one did not answer, and the caller does not wait for it', async () => {
    const sky = await recordedSky();
    const backend = backendOn(sky, await memoryFolder());
    await sky.recorded('/queue', 'queue-gone');
    expect(await backend.jobs([CLUSTER])).toEqual([]);
    await vi.waitFor(() => expect(forced(sky)).toEqual([[CLUSTER]]));
  });

  it('tell at the next look that looking for one failed', async () => {
    const sky = await recordedSky();
    const backend = backendOn(sky, await memoryFolder());
    await sky.recorded('/queue', 'queue-gone');
    sky.answer('/status', failed('RuntimeError', 'no Slurm there'));
    await backend.jobs([CLUSTER]);
    await vi.waitFor(() => expect(forced(sky)).toHaveLength(1));
    await sky.recorded('/status', 'status-none');
    await expect(backend.clusters([CLUSTER])).rejects.toThrow('no Slurm there');
    expect(await backend.clusters([CLUSTER])).toEqual([]);
  });
});

describe('down', () => {
  it('gives up a launch that waits first, and forgets', async () => {
    const [sky, folder] = [await recordedSky(), await memoryFolder()];
    const backend = backendOn(sky, folder);
    await backend.launch([request]);
    sky.state('RUNNING');
    await backend.down([CLUSTER]);
    expect(sky.paths()).toEqual(['/launch', '/api/cancel', '/down']);
    await sky.recorded('/status', 'status-up');
    expect(await backend.submit(CLUSTER, [task('one')])).toMatchObject([{ status: 'rejected' }]);
  });

  it('is silent about clusters that are gone, and about nothing else', async () => {
    const sky = await recordedSky();
    await sky.recorded('/down', 'down-gone');
    await backendOn(sky, await memoryFolder()).down([CLUSTER]);
    sky.answer('/down', failed('RuntimeError', 'ssh refused'));
    await expect(backendOn(sky, await memoryFolder()).down([CLUSTER])).rejects.toThrow('ssh refused');
  });
});
