import { expect, it } from 'vitest';
import { cancelExperiments } from '../../src/lab/cancel-experiments.js';
import { type Lab, nameOf, readCampaign, readExperiments } from '../../src/lab/lab.js';
import { submitRuns } from '../../src/lab/submit-runs.js';
import type { ClusterName } from '../../src/ports/cluster-backend.js';
import { type SimulatedOptions, summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab } from '../support/test-lab.js';
import { after, fleetOf, placesOf, waveOf } from '../support/waves.js';

const PENDING = 'Launching (pending: Resources)';
const waitsFor = (...ids: string[]) => ({
  waits: (cluster: ClusterName) => (ids.some((id) => cluster.startsWith(id)) ? PENDING : null),
});

const lasting = (seconds: number): Pick<SimulatedOptions, 'run'> => ({
  run: (task) => ({ seconds, log: wrapperLine(task) + summaryBlock(1) }),
});

/** Notes which clusters were asked for and which were ended, `launch gpu-01`. */
function recording() {
  const asked: string[] = [];
  const before: SimulatedOptions['before'] = (call, clusters) => {
    if (call === 'launch' || call === 'down') asked.push(...clusters.map((name) => `${call} ${name.slice(0, 6)}`));
  };
  return { asked, before };
}

const CHOOSING = { capabilities: { choosesAccelerators: true }, counts: false };

const livesOf = async (lab: Lab) =>
  (await readCampaign(lab)).fleet.map(({ id, state, reason, gotNoMachine }) => ({ id, state, reason, gotNoMachine }));

it('gives up a launch that has waited for a machine for too long, in the backend’s words, and runs elsewhere what it was for', async () => {
  const { asked, before } = recording();
  const { lab, backend } = await createTestLab({ clusters: 2, before, ...waitsFor('gpu-02'), ...lasting(1800) });
  await submitRuns(lab, waveOf([1, 2]));
  await after(lab, 890);
  expect(await placesOf(lab)).toEqual(['exp-0001 running gpu-01', 'exp-0002 planned gpu-02']);
  expect((await livesOf(lab))[1]).toMatchObject({ state: 'launching', reason: PENDING, gotNoMachine: false });
  await after(lab, 11);
  expect((await livesOf(lab))[1]).toEqual({
    id: 'gpu-02',
    state: 'ended',
    reason: `Given up after 15 minutes without a machine. ${PENDING}`,
    gotNoMachine: true,
  });
  expect(asked).toEqual(['launch gpu-01', 'launch gpu-02', 'down gpu-02']);
  expect(await backend.clusters((await readCampaign(lab)).fleet.map(nameOf))).toHaveLength(1);
  expect(await placesOf(lab)).toEqual(['exp-0001 running gpu-01', 'exp-0002 queued gpu-01']);
  await after(lab, 3600);
  expect((await readExperiments(lab)).map(({ state, attempt }) => [state, attempt])).toEqual([
    ['done', 1],
    ['done', 1],
  ]);
});

it('waits for a machine as long as limits.capacity_wait_minutes says', async () => {
  const { lab } = await createTestLab({
    ...waitsFor('gpu-01'),
    files: { 'autoresearch.yaml': 'campaign: test\nlimits: { capacity_wait_minutes: 0.5 }\n' },
  });
  await submitRuns(lab, waveOf([1]));
  await after(lab, 29);
  expect(await fleetOf(lab)).toEqual(['gpu-01 launching']);
  await after(lab, 2);
  expect((await livesOf(lab))[0]?.reason).toBe(`Given up after 0.5 minutes without a machine. ${PENDING}`);
});

it('lets a cluster that came up late run what it was launched for', async () => {
  let isFull = true;
  const { lab } = await createTestLab({ waits: () => (isFull ? PENDING : null) });
  await submitRuns(lab, waveOf([1]));
  await after(lab, 800);
  isFull = false;
  await after(lab, 200);
  expect(await fleetOf(lab)).toEqual(['gpu-01 up']);
  await after(lab, 301);
  expect(await placesOf(lab)).toEqual(['exp-0001 done gpu-01']);
});

it('gives up a launch when nothing waits for it any more', async () => {
  const { asked, before } = recording();
  const { lab } = await createTestLab({ clusters: 2, before, ...waitsFor('gpu-02'), ...lasting(1800) });
  await submitRuns(lab, waveOf([1, 2]));
  await after(lab, 10);
  const [, second] = await readExperiments(lab);
  await cancelExperiments(lab, [second?.id ?? expect.fail('There is no second run.')]);
  await after(lab, 10);
  expect((await livesOf(lab))[1]).toEqual({
    id: 'gpu-02',
    state: 'ended',
    reason: 'Given up: nothing was left to run on it.',
    gotNoMachine: false,
  });
  expect(asked).toEqual(['launch gpu-01', 'launch gpu-02', 'down gpu-02']);
  expect(await placesOf(lab)).toEqual(['exp-0001 running gpu-01', 'exp-0002 cancelled gpu-02']);
});

it('places what it gave up only on what its wave allows, and asks for the kind again after five minutes', async () => {
  const { asked, before } = recording();
  const { lab } = await createTestLab({
    ...CHOOSING,
    kinds: { 'H200:1': 1, 'H100:1': 8 },
    before,
    ...waitsFor('gpu-02', 'gpu-03'),
    ...lasting(3000),
  });
  await submitRuns(lab, waveOf([1], { accelerators: ['H200:1'] }));
  await submitRuns(lab, waveOf([2], { accelerators: ['H100:1', 'H200:1'] }));
  await submitRuns(lab, waveOf([3], { accelerators: ['H100:1'] }));
  expect(asked).toEqual(['launch gpu-01', 'launch gpu-02', 'launch gpu-03']);
  await after(lab, 901);
  const given = ['down gpu-02', 'down gpu-03'];
  expect(asked.slice(3)).toEqual(given);
  expect(await placesOf(lab)).toEqual([
    'exp-0001 running gpu-01',
    'exp-0002 queued gpu-01',
    'exp-0003 planned nowhere',
  ]);
  await after(lab, 290);
  expect(await placesOf(lab)).toContain('exp-0003 planned nowhere');
  expect(asked.slice(3)).toEqual(given);
  await after(lab, 11);
  await after(lab, 1);
  expect(asked.slice(5)).toEqual(['launch gpu-02']);
  expect(await placesOf(lab)).toContain('exp-0003 planned gpu-02');
});

it('asks at once for another where the machines are what they are', async () => {
  const { asked, before } = recording();
  const { lab } = await createTestLab({ clusters: 8, before, ...waitsFor('gpu-01') });
  await submitRuns(lab, waveOf([1]));
  await after(lab, 901);
  await after(lab, 1);
  expect(asked).toEqual(['launch gpu-01', 'down gpu-01', 'launch gpu-02']);
  expect(await placesOf(lab)).toEqual(['exp-0001 queued gpu-02']);
});

it('asks no more for a kind of which a launch was refused until five minutes later', async () => {
  const { asked, before } = recording();
  const { lab } = await createTestLab({ ...CHOOSING, kinds: { 'H100:1': 1 }, before, ...lasting(3000) });
  await submitRuns(lab, waveOf([1, 2], { accelerators: ['H100:1'] }));
  expect(await livesOf(lab)).toMatchObject([
    { id: 'gpu-01', state: 'up', gotNoMachine: false },
    { id: 'gpu-02', state: 'ended', gotNoMachine: true, reason: 'All simulated GPUs are taken.' },
  ]);
  expect(await placesOf(lab)).toEqual(['exp-0001 queued gpu-01', 'exp-0002 queued gpu-01']);
  await after(lab, 280);
  await submitRuns(lab, waveOf([3], { accelerators: ['H100:1'] }));
  expect(asked).toEqual(['launch gpu-01', 'launch gpu-02']);
  expect(await placesOf(lab)).toContain('exp-0003 queued gpu-01');
  await lab.sleep(30_000);
  await submitRuns(lab, waveOf([4], { accelerators: ['H100:1'] }));
  expect(asked).toEqual(['launch gpu-01', 'launch gpu-02', 'launch gpu-02']);
});
