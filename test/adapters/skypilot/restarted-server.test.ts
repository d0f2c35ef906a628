import { expect, it } from 'vitest';
import { backendOn, CLUSTER, memoryFolder, recordedSky, request, succeeded, task } from './recorded-sky.js';

const RECORD = { submitted_at: 1_800_000_000, status: 'PENDING' };
const SETUP = { ...RECORD, job_id: 1, job_name: 'autoresearch-setup', status: 'SUCCEEDED' };

/** A cluster that is UP, whose API server was started again since: it knows nothing of the requests before. */
async function afterRestart(queue: readonly object[], submitted: readonly string[] = []) {
  const [sky, folder] = [await recordedSky(), await memoryFolder()];
  await sky.recorded('/status', 'status-up');
  sky.answer('/exec', () => succeeded({ job_id: sky.bodies('/exec').length + 1 }));
  const before = backendOn(sky, folder);
  await before.launch([request]);
  await before.submit(
    CLUSTER,
    submitted.map((name) => task(name)),
  );
  sky.answer('/queue', succeeded(queue));
  sky.forget();
  return { sky, backend: backendOn(sky, folder) };
}

it('finds in the queue the jobs that it had submitted, and runs none of them twice', async () => {
  const { sky, backend } = await afterRestart([SETUP, { ...RECORD, job_id: 2, job_name: 'one' }], ['one']);
  const [one, two] = await backend.submit(CLUSTER, [task('one'), task('two')]);
  expect(one).toMatchObject({ status: 'submitted', jobId: expect.stringMatching(/\.2$/) });
  expect(two).toMatchObject({ status: 'submitted', jobId: expect.stringMatching(/\.3$/) });
  expect(sky.bodies('/exec')).toHaveLength(2);
});

it('submits once more what the queue has not got', async () => {
  const { sky, backend } = await afterRestart([SETUP], ['lost']);
  expect(await backend.submit(CLUSTER, [task('lost')])).toMatchObject([{ name: 'lost', status: 'submitted' }]);
  expect(sky.bodies('/exec')).toHaveLength(2);
});

it('asks a queue once whether setup stands in it, whatever is submitted behind it', async () => {
  const { sky, backend } = await afterRestart([SETUP]);
  await backend.submit(CLUSTER, [task('one'), task('two')]);
  await backend.submit(CLUSTER, [task('three')]);
  expect(sky.bodies('/queue')).toHaveLength(1);
});

it('goes on with a cluster whose launch had got as far as setup', async () => {
  const { backend } = await afterRestart([SETUP]);
  expect(await backend.clusters([CLUSTER])).toMatchObject([{ status: 'UP', statusReason: null }]);
});

it('calls a cluster whose launch was cut off STOPPED, with the reason, so that another is launched', async () => {
  const { backend } = await afterRestart([]);
  expect(await backend.clusters([CLUSTER])).toMatchObject([
    { status: 'STOPPED', statusReason: "SkyPilot's API server was started again during the launch." },
  ]);
});
