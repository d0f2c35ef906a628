import { expect, it } from 'vitest';
import { offersOf } from '../../../src/adapters/skypilot/offers.js';
import { recordedSky, succeeded } from './recorded-sky.js';

it('offers the cheapest of each kind in a catalogue, and a price of 0 is none', async () => {
  const sky = await recordedSky();
  const sold = (cloud: string, name: string, price: number) => [cloud, 'type', name, 1, 8, 80, 100, price, 0, 'region'];
  // The form of InstanceTypeInfo; a recording needs a cloud's catalogue, which the harness has none of.
  sky.answer(
    '/list_accelerators',
    succeeded({
      H100: [sold('AWS', 'H100', 6.9), sold('Lambda', 'H100', 2.5)],
      L4: [sold('GCP', 'L4', 0.7)],
      T4: [sold('Kubernetes', 'T4', 0)],
    }),
  );
  expect(await offersOf(sky.api(), null)).toEqual([
    { accelerators: 'L4:1', infra: 'gcp', free: null, pricePerHourUsd: 0.7 },
    { accelerators: 'H100:1', infra: 'lambda', free: null, pricePerHourUsd: 2.5 },
    { accelerators: 'T4:1', infra: 'kubernetes', free: null, pricePerHourUsd: null },
  ]);
});
