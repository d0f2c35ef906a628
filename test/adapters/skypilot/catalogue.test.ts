import { expect, it } from 'vitest';
import { offersOf } from '../../../src/adapters/skypilot/offers.js';
import { createPriceOf } from '../../../src/adapters/skypilot/prices.js';
import { ClusterRecord } from '../../../src/adapters/skypilot/schemas.js';
import { ClusterName } from '../../../src/ports/cluster-backend.js';
import { backendOn, failed, memoryFolder, recordedSky, request, succeeded } from './recorded-sky.js';

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
  sky.answer('/enabled_clouds', succeeded(['AWS', 'gcp', 'lambda', 'kubernetes']));
  expect(await offersOf(sky.api(), null)).toEqual([
    { accelerators: 'L4:1', infra: 'gcp', free: null, pricePerHourUsd: 0.7 },
    { accelerators: 'H100:1', infra: 'lambda', free: null, pricePerHourUsd: 2.5 },
    { accelerators: 'T4:1', infra: 'kubernetes', free: null, pricePerHourUsd: null },
  ]);
  expect(sky.bodies('/list_accelerators')[0]).toMatchObject({ clouds: ['aws', 'gcp', 'lambda', 'kubernetes'] });
});

it('offers what the user has access to where SkyPilot may choose, what costs nothing first', async () => {
  const sky = await recordedSky();
  sky.answer('/enabled_clouds', succeeded(['aws', 'slurm']));
  await sky.recorded('/slurm_gpu_availability', 'availability');
  sky.answer('/list_accelerators', succeeded({ L4: [['AWS', 'g6', 'L4', 1, 8, 24, 32, 0.8, 0.3, 'us-east-1']] }));
  const offers = await offersOf(sky.api(), null);
  expect(offers.map(({ infra }) => infra)).toEqual(['slurm/fakehpc', 'slurm/fakehpc', 'aws']);
  expect(offers.at(-1)).toEqual({ accelerators: 'L4:1', infra: 'aws', free: null, pricePerHourUsd: 0.8 });
  sky.answer('/enabled_clouds', succeeded([]));
  await expect(offersOf(sky.api(), null)).rejects.toMatchObject({
    code: 'no_capacity',
    hint: expect.stringContaining('sky check'),
  });
});

it('takes Kubernetes by either of its names, and the prices of the region that is asked for', async () => {
  const sky = await recordedSky();
  const sold = (region: string, price: number) => ['AWS', 'p5', 'H100', 8, 8, 80, 100, price, 0, region];
  sky.answer('/list_accelerators', succeeded({ H100: [sold('us-east-1', 55), sold('eu-north-1', 44)] }));
  expect(await offersOf(sky.api(), 'aws/us-east-1')).toMatchObject([{ accelerators: 'H100:8', pricePerHourUsd: 55 }]);
  await offersOf(sky.api(), 'k8s');
  expect(sky.bodies('/list_accelerators').map(({ clouds }) => clouds)).toEqual([['aws'], ['kubernetes']]);
});

it('does not offer what launches that are under way will take', async () => {
  const sky = await recordedSky();
  sky.answer(
    '/slurm_gpu_availability',
    succeeded([
      [
        'fakehpc',
        [
          ['H100', [1], 4, 4],
          ['H200', [1], 2, 2],
        ],
        null,
      ],
    ]),
  );
  const backend = backendOn(sky, await memoryFolder());
  const launch = (name: string, accelerators: string[]) =>
    backend.launch([{ ...request, cluster: ClusterName.parse(name), accelerators }]);
  await launch('a', ['H200:1', 'H100:1']);
  await launch('b', ['H200:1']);
  await launch('c', ['H100:1']);
  sky.state('RUNNING');
  expect((await backend.offers()).map(({ accelerators, free }) => [accelerators, free])).toEqual([['H100:1', 3]]);
  sky.state('SUCCEEDED');
  expect((await backend.offers()).map(({ free }) => free)).toEqual([4, 2]);
});

it('prices a cluster by its instance type in its region, spot or not, times its nodes', async () => {
  const sky = await recordedSky();
  const sold = (type: string, region: string, price: number, spot: number) => [
    'AWS',
    type,
    'H100',
    8,
    8,
    80,
    100,
    price,
    spot,
    region,
  ];
  sky.answer(
    '/list_accelerators',
    succeeded({
      H100: [
        sold('p5.48xlarge', 'us-east-1', 55, 20),
        sold('p5.48xlarge', 'eu-north-1', 44, 11),
        sold('p5e', 'us-east-1', 9, 1),
      ],
    }),
  );
  const priceOf = createPriceOf(sky.api(), () => 0);
  const record = (about: object) =>
    ClusterRecord.parse({
      name: 'x',
      status: 'UP',
      cloud: 'AWS',
      region: 'us-east-1',
      accelerators: "{'H100': 8}",
      ...about,
    });
  const resources = '1x(gpus=H100:8, p5.48xlarge, cpus=192, mem=2048, disk=256)';
  expect(await priceOf(record({ resources_str_full: resources }))).toBe(55);
  expect(await priceOf(record({ resources_str_full: resources, region: 'eu-north-1' }))).toBe(44);
  expect(await priceOf(record({ resources_str_full: resources.replace('1x', '2x[spot]'), nodes: 2 }))).toBe(40);
  const calls = sky.bodies('/list_accelerators').length;
  await priceOf(record({ resources_str_full: resources }));
  expect(sky.bodies('/list_accelerators')).toHaveLength(calls);
});

it('has no price where the catalogue says 0, has none, or cannot be read', async () => {
  const sky = await recordedSky();
  const record = ClusterRecord.parse({
    name: 'x',
    status: 'UP',
    cloud: 'Slurm',
    region: 'f',
    accelerators: "{'H100': 1}",
  });
  const answers = [
    succeeded({ H100: [['slurm', null, 'H100', 1, 8, 0, 64, 0, 0, 'gpu*']] }),
    succeeded({}),
    failed('KeyError', "'user'"),
  ];
  for (const answer of answers) {
    sky.answer('/list_accelerators', answer);
    expect(await createPriceOf(sky.api(), () => 0)(record)).toBeNull();
  }
});
