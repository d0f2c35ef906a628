import { expect, it } from 'vitest';
import { callTool, connectClient } from '../support/client.js';
import { createTestLab } from '../support/test-lab.js';

async function pricedLab(yaml: string, pricePerHourUsd: number | null = 3) {
  const { lab } = await createTestLab({
    clusters: 4,
    pricePerHourUsd,
    files: { 'autoresearch.yaml': `campaign: test\n${yaml}\n` },
  });
  const client = await connectClient(async () => lab);
  const call = (name: string, args: Record<string, unknown> = {}) => callTool(client, name, args);
  return { lab, client, call };
}

const DEPTHS = { design: { factors: { DEPTH: [2, 4, 6] } } };

it('tells what a wave will cost, and that a limit kept the fleet small', async () => {
  const { call } = await pricedLab('limits: { max_cost_per_hour_usd: 6, max_cost_usd: 20 }');
  expect(await call('launch_wave', DEPTHS)).toMatchInlineSnapshot(`
    {
      "structured": {
        "clusters": [
          "gpu-01",
          "gpu-02",
        ],
        "experiment_ids": [
          "exp-0001",
          "exp-0002",
          "exp-0003",
          "exp-0004",
        ],
        "notes": [
          "exp-0001 is the unchanged base.",
          "limits.max_cost_per_hour_usd allowed 2 new clusters.",
        ],
        "projected_usd": 3,
        "wave_id": "wave-001",
      },
      "text": "wave-001: 4 experiments (exp-0001…exp-0004) on gpu-01, gpu-02. Reckon with $3.00, idle minutes included. exp-0001 is the unchanged base. limits.max_cost_per_hour_usd allowed 2 new clusters.",
    }
  `);
});

it('shows what is spent, how much of it idle, the rate and what is left', async () => {
  const { lab, call } = await pricedLab('limits: { max_cost_per_hour_usd: 6, max_cost_usd: 20 }');
  await call('launch_wave', DEPTHS);
  await lab.sleep(900_000);
  expect(await call('campaign_status')).toMatchObject({
    // Two clusters for 900 s and four runs of 300 s, at 3.00 an hour.
    structured: { cost: { usd: 1.5, idle_usd: 0.5, usd_per_hour: 6, left_usd: 18.5 } },
    text: expect.stringContaining('$1.50 spent.'),
  });
  await lab.sleep(12 * 3_600_000);
  expect(await call('campaign_status')).toMatchObject({
    structured: { cost: { left_usd: 0 }, next: 'limits.max_cost_usd is spent: teardown, then report.' },
  });
});

it('says of how many clusters the price is unknown, and makes no number of it', async () => {
  const { call } = await pricedLab('', null);
  expect((await call('launch_wave', DEPTHS)).structured).not.toHaveProperty('projected_usd');
  expect(await call('campaign_status')).toMatchObject({
    structured: { cost: { unknown: '4 of 4 clusters have no price' } },
  });
});

it('refuses past the budget with the sums and the way out', async () => {
  const { call } = await pricedLab('limits: { max_cost_usd: 1 }\nidle_minutes: 2');
  expect(await call('launch_wave', DEPTHS)).toMatchInlineSnapshot(`
    {
      "error": "over_budget: limits.max_cost_usd is $1.00: $0.00 spent, $0.00 committed by what runs and waits, and this would add $2.40, together $2.40 (idle minutes included). Nothing was launched. Ask for fewer experiments or cheaper accelerators, or call teardown with idle_only first.",
    }
  `);
});

it('shows an offer at the price of autoresearch.yaml where the infra has none', async () => {
  const { call } = await pricedLab('prices: { H100: 2.49 }', null);
  expect(await call('list_clusters_by_gpu', { include_offers: true })).toMatchObject({
    structured: { offers: [{ accelerators: 'H100:1', usd_per_hour: 2.49 }] },
  });
});

it('reads the cost of an experiment and of the campaign as resources', async () => {
  const { lab, client, call } = await pricedLab('');
  await call('launch_experiment', { description: 'as it is' });
  await lab.sleep(300_000);
  const read = async (uri: string) => {
    const [content] = (await client.readResource({ uri })).contents;
    return JSON.parse(content && 'text' in content ? content.text : '');
  };
  expect(await read('autoresearch://experiments/exp-0001')).toMatchObject({ costUsd: 0.25, pricePerHourUsd: 3 });
  expect(await read('autoresearch://campaign')).toMatchObject({ cost: { spent: { usd: 0.25 }, idleUsd: 0 } });
});
