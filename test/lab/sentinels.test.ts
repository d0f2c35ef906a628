import { expect, it } from 'vitest';
import { planDesign } from '../../src/domain/design/expand-design.js';
import type { Factors } from '../../src/domain/design/factor.js';
import type { Experiment } from '../../src/domain/experiment.js';
import { experimentsOf } from '../../src/domain/wave.js';
import type { Lab } from '../../src/lab/lab.js';
import type { PlanRequest } from '../../src/lab/plan-request.js';
import { submitRuns } from '../../src/lab/submit-runs.js';
import { createTestLab } from '../support/test-lab.js';
import { after, waveOf } from '../support/waves.js';

const FILES = { 'train.py': 'A = 0\nB = 0\nC = 0\nD = 0\nprint("---")\n' };

const designed = (factors: Factors, more: Partial<PlanRequest> = {}): PlanRequest => {
  const { kind, requests, runOrder } = planDesign({ kind: 'full_factorial', factors });
  return waveOf([], { kind, requests, runOrder, sentinels: null, ...more });
};
const launch = async (lab: Lab, ask: PlanRequest): Promise<Experiment[]> => {
  const { wave } = await submitRuns(lab, ask);
  await after(lab, 20_000);
  return wave ? experimentsOf(wave) : [];
};
const sentinelsOf = (runs: readonly Experiment[]) =>
  runs.flatMap(({ isSentinel, replicateOf, cluster }) => (isSentinel ? [`${replicateOf} on ${cluster}`] : []));

const EIGHT = { A: [1, 2], B: [1, 2], C: [1, 2] };

it('runs the incumbent twice more in a wave of eight, on other clusters each time', async () => {
  const { lab } = await createTestLab({ clusters: 4, files: FILES });
  expect(sentinelsOf(await launch(lab, designed(EIGHT, { withBaseline: true })))).toEqual([]);
  const second = await launch(lab, designed({ ...EIGHT, A: [3, 4] }));
  expect(second).toHaveLength(10);
  expect(sentinelsOf(second)).toEqual(['exp-0001 on gpu-01', 'exp-0001 on gpu-02']);
  expect(sentinelsOf(await launch(lab, designed({ ...EIGHT, A: [5, 6] })))).toEqual([
    'exp-0001 on gpu-03',
    'exp-0001 on gpu-04',
  ]);
  expect(sentinelsOf(await launch(lab, designed({ D: [1, 2] })))).toEqual([]);
  expect(sentinelsOf(await launch(lab, designed({ ...EIGHT, A: [7, 8] }, { sentinels: 0 })))).toEqual([]);
});

it('has one on each accelerator of the wave, even where fewer were asked for', async () => {
  const { lab } = await createTestLab({ kinds: { 'H100:1': 1, 'H200:1': 1, 'A100:1': 1 }, files: FILES });
  await launch(lab, designed(EIGHT, { withBaseline: true }));
  const runs = await launch(lab, designed({ ...EIGHT, A: [3, 4] }, { sentinels: 1 }));
  expect(sentinelsOf(runs).map((words) => words.slice(-6))).toEqual(['gpu-01', 'gpu-02', 'gpu-03']);
});

it('puts both levels of each factor on each cluster as often', async () => {
  const { lab } = await createTestLab({ clusters: 2, files: FILES });
  const runs = await launch(lab, designed({ ...EIGHT, D: [1, 2] }, { withBaseline: true }));
  const points = runs.filter(({ isBaseline }) => !isBaseline);
  for (const factor of ['A', 'B', 'C', 'D']) {
    const high = points.filter(({ levels }) => levels[factor] === 2);
    expect(['gpu-01', 'gpu-02'].map((id) => high.filter(({ cluster }) => cluster === id).length)).toEqual([4, 4]);
  }
});

it('queues a design’s points in an order that follows no factor, with a sentinel in each half of it', async () => {
  const { lab } = await createTestLab({ clusters: 1, files: FILES });
  const first = await launch(lab, designed({ A: [1, 2] }, { withBaseline: true }));
  expect(first[0]).toMatchObject({ id: 'exp-0001', isBaseline: true, isSentinel: false });
  const runs = await launch(lab, designed({ ...EIGHT, D: [1, 2] }));
  const points = runs.filter(({ isSentinel }) => !isSentinel);
  const standard = planDesign({ kind: 'full_factorial', factors: { ...EIGHT, D: [1, 2] } });
  expect(points.map(({ description }) => description)).toEqual(
    standard.runOrder.map((index) => standard.requests[index]?.description),
  );
  expect(points.map(({ levels }) => levels['A'])).not.toEqual(standard.points.map(({ A }) => A));
  const places = runs.flatMap(({ isSentinel }, index) => (isSentinel ? [index] : []));
  expect(places.map((place) => place < runs.length / 2)).toEqual([true, false]);
});

it('takes a design’s point that is the incumbent as its sentinel, once more run and counted', async () => {
  const { lab } = await createTestLab({ clusters: 1, files: FILES });
  await launch(lab, designed({ D: [1, 2] }, { withBaseline: true }));
  // A = B = C = 0 is the base.
  const runs = await launch(lab, designed({ A: [0, 1], B: [0, 1], C: [0, 1] }));
  expect(runs).toHaveLength(9);
  expect(runs.filter(({ isSentinel }) => isSentinel).map(({ levels, replicateOf }) => [levels, replicateOf])).toEqual(
    expect.arrayContaining([
      [{ A: 0, B: 0, C: 0 }, 'exp-0001'],
      [{}, 'exp-0001'],
    ]),
  );
});

it('replicates the base in the first wave where sentinels are asked for', async () => {
  const { lab } = await createTestLab({ clusters: 2, files: FILES });
  const runs = await launch(lab, designed(EIGHT, { withBaseline: true, sentinels: 2 }));
  expect(runs).toHaveLength(11);
  expect(sentinelsOf(runs).sort()).toEqual(['exp-0001 on gpu-01', 'exp-0001 on gpu-02']);
  expect(new Set(runs.filter(({ isBaseline }) => isBaseline).map(({ snapshot }) => snapshot)).size).toBe(1);
});

it('runs each point of a design as often as asked, the second round after the first', async () => {
  const { lab } = await createTestLab({ clusters: 2, files: FILES });
  const runs = await launch(lab, designed({ A: [1, 2], B: [1, 2] }, { replicates: 2 }));
  expect(runs.map(({ replicateOf }) => replicateOf)).toEqual([
    ...Array(4).fill(null),
    ...runs.slice(0, 4).map(({ id }) => id),
  ]);
});
