import { describe, expect, it } from 'vitest';
import { effectsOfWave } from '../../../src/domain/analysis/wave-effects.js';
import { type Dice, dice } from '../../support/dice.js';
import { analysisOf, type PlantedRun, plantedWave } from '../../support/planted-wave.js';

const [RUN_SD, HOST_SD, EFFECT] = [1.5e-4, 7e-4, -5e-4];

/** A 2² design `replicates` times and `sentinels`, dealt to hosts by chance; A has an effect, B and A×B have none. */
function plantedDesign(
  seed: number,
  { hosts, replicates, sentinels }: Record<'hosts' | 'replicates' | 'sentinels', number>,
) {
  const random = dice(seed);
  const offsets = Array.from({ length: hosts }, () => HOST_SD * random.normal());
  const place = (): number => Math.floor(random.uniform() * hosts);
  const value = (host: number, effect: number, { normal }: Dice = random) =>
    1 + (offsets[host] ?? 0) + effect + RUN_SD * normal();
  const base = Array.from({ length: sentinels }, (_, at): PlantedRun => {
    const host = at % hosts;
    return { config: 0, host, value: value(host, 0) };
  });
  const design = Array.from({ length: replicates }, () =>
    [0, 1, 2, 3].map((point): PlantedRun => {
      const [host, a, b] = [place(), point % 2, Math.floor(point / 2)];
      return { config: point + 1, host, value: value(host, a * EFFECT), levels: { A: a, B: b } };
    }),
  ).flat();
  const waves = [plantedWave(1, 1, base), plantedWave(2, 1 + base.length, design)] as const;
  return effectsOfWave(analysisOf(waves), waves[1]);
}

describe.each([
  { hosts: 2, replicates: 4, sentinels: 8 },
  { hosts: 8, replicates: 2, sentinels: 16 },
  { hosts: 8, replicates: 2, sentinels: 12 },
])('effects of a design dealt to $hosts hosts by chance, with $sentinels sentinels', (layout) => {
  const campaigns = Array.from({ length: 200 }, (_, seed) => plantedDesign(seed, layout));
  const rows = (name: string) =>
    campaigns.flatMap((found) => found?.effects.find((effect) => effect.name === name) ?? []);
  const share = (values: readonly boolean[]) => values.filter(Boolean).length / values.length;

  it('are within their interval 95 times in 100', () => {
    const covered = rows('A').map(({ interval }) => interval !== null && interval[0] < EFFECT && EFFECT < interval[1]);
    expect(covered.length).toBeGreaterThan(190);
    // Three standard errors of a share of 200.
    expect(share(covered)).toBeGreaterThan(0.9);
  });

  it('are called real where there is none 5 times in 100', () => {
    for (const name of ['B', 'A×B']) expect(share(rows(name).map(({ p }) => p !== null && p < 0.05))).toBeLessThan(0.1);
  });
});
