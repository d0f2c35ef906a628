import { expect, it } from 'vitest';
import type { ExperimentRequest } from '../../src/domain/experiment.js';
import { ClusterId } from '../../src/domain/ids.js';
import { experimentsOf } from '../../src/domain/wave.js';
import { advance } from '../../src/lab/advance.js';
import { campaignStatus } from '../../src/lab/campaign-status.js';
import { type Lab, nameOf, readCampaign, readExperiments } from '../../src/lab/lab.js';
import { submitRuns } from '../../src/lab/submit-runs.js';
import { tearDown } from '../../src/lab/tear-down.js';
import { createTestLab } from '../support/test-lab.js';

const request = (rate: number): ExperimentRequest => ({
  description: String(rate),
  overrides: { LEARNING_RATE: rate },
  edits: [],
  workdir: null,
  replicateOf: null,
  levels: {},
});

const wave = (rates: readonly number[], more: object = {}) => ({
  description: '',
  kind: 'list' as const,
  factors: {},
  requests: rates.map(request),
  replicates: 1,
  accelerators: [],
  cluster: null,
  withBaseline: false,
  ...more,
});

const settings = (lines: string) => ({ files: { 'autoresearch.yaml': `campaign: test\n${lines}\n` } });

const after = async (lab: Lab, seconds: number) => {
  await lab.sleep(seconds * 1000);
  await advance(lab);
};

/** As if autoresearch.yaml had been changed meanwhile. */
const withSettings = (lab: Lab, changed: Partial<Lab['project']['settings']>): Lab => ({
  ...lab,
  project: { ...lab.project, settings: { ...lab.project.settings, ...changed } },
});

const ALL = { clusters: [], idleOnly: false, all: true, dryRun: false };

it('pays each cluster from up to down, and says how much of it ran nothing', async () => {
  const { lab } = await createTestLab({ clusters: 2, pricePerHourUsd: 3 });
  await submitRuns(lab, wave([0.1, 0.2, 0.5]));
  await after(lab, 900);
  await tearDown(lab, ALL);
  await after(lab, 3600);
  const { cost, leftUsd } = await campaignStatus(lab, null);
  // 2 clusters for 900 s at 3.00; 3 runs of 300 s.
  expect(cost.spent.usd).toBeCloseTo(1.5, 3);
  expect(cost.idleUsd).toBeCloseTo(0.75, 3);
  expect(cost.perHour).toEqual({ usd: 0, machines: 0, unpriced: 0 });
  expect(leftUsd).toBeNull();
});

it('prices what its infra names no price for by autoresearch.yaml, and keeps the price that was when it ran', async () => {
  const { lab } = await createTestLab({ clusters: 1, ...settings('prices: { H100: 2.0 }') });
  await submitRuns(lab, wave([0.1]));
  await after(lab, 300);
  expect((await readExperiments(lab)).map(({ pricePerHourUsd }) => pricePerHourUsd)).toEqual([2]);
  const { cost } = await campaignStatus(withSettings(lab, { prices: { H100: 9 } }), null);
  expect(cost.spent.usd).toBeCloseTo((2 * 300) / 3600, 4);
});

it('has no cost for machines whose price nobody knows, and one as soon as it is named', async () => {
  const { lab } = await createTestLab({ clusters: 1 });
  await submitRuns(lab, wave([0.1]));
  await after(lab, 300);
  await tearDown(lab, ALL);
  expect((await campaignStatus(lab, null)).cost).toEqual({
    spent: { usd: null, machines: 1, unpriced: 1 },
    idleUsd: null,
    perHour: { usd: 0, machines: 0, unpriced: 0 },
  });
  const named = withSettings(lab, { prices: { H100: 6 } });
  expect((await campaignStatus(named, null)).cost.spent.usd).toBeCloseTo(0.5, 3);
});

it('refuses a wave that would lead past max_cost_usd with the sums, and stores nothing', async () => {
  const { lab } = await createTestLab({
    clusters: 2,
    pricePerHourUsd: 3,
    ...settings('limits: { max_cost_usd: 2, job_timeout_minutes: 10 }\nidle_minutes: 4'),
  });
  // Two clusters: 2 runs of at most 600 s and 2 × 240 s idle, 1680 s at 3.00 an hour.
  const first = await submitRuns(lab, wave([0.1, 0.2]));
  expect(first.cost?.usd).toBeCloseTo(1.4, 6);
  await after(lab, 300);
  // A run takes 300 s: 600 s are spent, and 2 × 240 s idle are to come. Five more runs are 1500 s.
  await expect(submitRuns(lab, wave([1, 2, 3, 4, 5]))).rejects.toMatchObject({
    code: 'over_budget',
    message: expect.stringContaining(
      'limits.max_cost_usd is $2.00: $0.50 spent, $0.40 committed by what runs and waits, and this would add $1.25, together $2.15',
    ),
  });
  expect(await readExperiments(lab)).toHaveLength(2);
});

it('counts what waits already towards max_cost_usd, also for what is queued on a cluster', async () => {
  const { lab } = await createTestLab({
    clusters: 1,
    pricePerHourUsd: 3,
    ...settings('limits: { max_cost_usd: 1.2 }\nidle_minutes: 4'),
  });
  await submitRuns(lab, wave([0.1])); // 600 s and 240 s: 0.70
  const there = { cluster: ClusterId.parse('gpu-01') };
  await expect(submitRuns(lab, wave([0.2, 0.5], there))).rejects.toMatchObject({ code: 'over_budget' });
  const { cost } = await submitRuns(lab, wave([0.2], there)); // 600 s
  expect(cost?.usd).toBeCloseTo(0.5, 6);
});

it('launches as many clusters as max_cost_per_hour_usd allows, and queues the rest on them', async () => {
  const { lab } = await createTestLab({
    clusters: 8,
    pricePerHourUsd: 2,
    ...settings('limits: { max_cost_per_hour_usd: 5 }'),
  });
  const { wave: stored, bound } = await submitRuns(lab, wave([1, 2, 3, 4]));
  expect(experimentsOf(stored ?? expect.fail()).map(({ cluster }) => cluster)).toEqual([
    'gpu-01',
    'gpu-02',
    'gpu-01',
    'gpu-02',
  ]);
  expect(bound).toEqual({ by: 'max_cost_per_hour_usd', launched: 2 });
  // What is up takes more; nothing new is launched, and nothing refused.
  await after(lab, 10);
  expect((await submitRuns(lab, wave([5]))).bound).toEqual({ by: 'max_cost_per_hour_usd', launched: 0 });
  expect((await readCampaign(lab)).fleet).toHaveLength(2);
});

it.each([
  {
    of: 'a rate that not even one cluster keeps',
    backend: { pricePerHourUsd: 6 },
    lines: 'limits: { max_cost_per_hour_usd: 5 }',
    says: 'limits.max_cost_per_hour_usd is $5.00, and one cluster of H100:1 costs $6.00.',
  },
  {
    of: 'a rate without a price',
    backend: {},
    lines: 'limits: { max_cost_per_hour_usd: 5 }',
    says: 'limits.max_cost_per_hour_usd is $5.00, and H100:1 has no price.',
  },
  {
    of: 'a budget without a price',
    backend: {},
    lines: 'limits: { max_cost_usd: 5 }',
    says: '1 of 1 cluster has no price, so limits.max_cost_usd ($5.00) cannot be kept.',
  },
])('refuses $of, and stores nothing', async ({ backend, lines, says }) => {
  const { lab } = await createTestLab({ ...backend, ...settings(lines) });
  await expect(submitRuns(lab, wave([0.1]))).rejects.toMatchObject({ code: 'over_budget', message: says });
  expect(await readExperiments(lab)).toEqual([]);
  expect((await readCampaign(lab)).fleet).toEqual([]);
});

it('keeps to the limit of an accelerator, whatever else is allowed', async () => {
  const { lab } = await createTestLab({ clusters: 8, ...settings('limits: { accelerators: { H100: 2, H200: 1 } }') });
  const { wave: stored, bound } = await submitRuns(lab, wave([1, 2, 3]));
  expect(new Set(experimentsOf(stored ?? expect.fail()).map(({ cluster }) => cluster)).size).toBe(2);
  expect(bound).toEqual({ by: 'accelerators', launched: 2 });
});

it('asks for what the task asks for where machines are chosen and the agent names none', async () => {
  const { lab } = await createTestLab({ capabilities: { choosesAccelerators: true }, pricePerHourUsd: 2 });
  const { wave: stored, cost } = await submitRuns(lab, wave([0.1]));
  expect(stored?.wave.accelerators).toEqual(['H100:1']);
  expect(cost).toMatchObject({ unpriced: 0 });
  await expect(submitRuns(lab, wave([0.2], { accelerators: ['H200:8'] }))).rejects.toMatchObject({
    code: 'no_capacity',
  });
});

it('adds up what is up where none of it would do and one more would cost too much an hour', async () => {
  const { lab } = await createTestLab({
    capabilities: { choosesAccelerators: true },
    accelerators: 'H100:1',
    pricePerHourUsd: 4,
    ...settings('limits: { max_cost_per_hour_usd: 6 }\nprices: { H200: 3.5 }'),
  });
  await submitRuns(lab, wave([0.1]));
  await expect(submitRuns(lab, wave([0.2], { accelerators: ['H200:1'] }))).rejects.toMatchObject({
    code: 'over_budget',
    message:
      'limits.max_cost_per_hour_usd is $6.00: $4.00 for the 1 up or on the way, and one of H200:1 at $3.50 would make $7.50.',
  });
});

it('says which accelerator’s limit leaves no cluster that would do', async () => {
  const { lab } = await createTestLab({
    capabilities: { choosesAccelerators: true },
    accelerators: 'H200:1',
    ...settings('limits: { accelerators: { H200: 1 } }'),
  });
  await submitRuns(lab, wave([0.1], { accelerators: ['H200:1'] }));
  await expect(submitRuns(lab, wave([0.2], { accelerators: ['H200:8'] }))).rejects.toMatchObject({
    code: 'over_budget',
    message: 'limits.accelerators allows 1 of H200 (1 up or on the way), and none would do for H200:8.',
  });
});

it('leaves the runs of a lost cluster waiting while a limit keeps it from launching another', async () => {
  const { lab, backend } = await createTestLab({
    clusters: 2,
    pricePerHourUsd: 4,
    ...settings('limits: { max_cost_per_hour_usd: 5 }'),
  });
  await submitRuns(lab, wave([0.1]));
  await after(lab, 10);
  const { limits } = lab.project.settings;
  const tight = withSettings(lab, { limits: { ...limits, max_cost_per_hour_usd: 1 } });
  await backend.down((await readCampaign(lab)).fleet.map(nameOf));
  await advance(tight);
  await advance(tight);
  expect((await readExperiments(lab)).map(({ state, cluster }) => [state, cluster])).toEqual([['planned', null]]);
  await advance(lab);
  expect((await readExperiments(lab)).map(({ cluster }) => cluster)).toEqual(['gpu-01']);
});

it('does not pay for a night in which a cluster had ended by itself and nobody looked', async () => {
  const { lab, backend } = await createTestLab({
    clusters: 1,
    pricePerHourUsd: 3,
    ...settings('idle_minutes: 5'),
  });
  await submitRuns(lab, wave([0.1]));
  await after(lab, 300);
  await lab.sleep(8 * 3_600_000);
  await backend.down((await readCampaign(lab)).fleet.map(nameOf));
  await advance(lab);
  // A run of 300 s, 300 s idle.
  expect((await campaignStatus(lab, null)).cost.spent.usd).toBeCloseTo(0.5, 3);
});

it('pays until now for a cluster that was lost with work on it', async () => {
  const { lab, backend } = await createTestLab({ clusters: 1, pricePerHourUsd: 3 });
  await submitRuns(lab, wave([0.1, 0.2, 0.5]));
  await after(lab, 450);
  await backend.down((await readCampaign(lab)).fleet.map(nameOf));
  await after(lab, 150);
  const [first] = (await readCampaign(lab)).fleet;
  expect(((first?.endedAt ?? 0) - (first?.upAt ?? 0)) / 1000).toBeCloseTo(600, 0);
});
