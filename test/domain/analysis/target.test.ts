import { expect, it } from 'vitest';
import { reachedTarget, targetWords } from '../../../src/domain/analysis/target.js';
import { analysisOf, type PlantedRun, plantedWave } from '../../support/planted-wave.js';

/** The base at 1.000 twice, and one configuration with these values, all on one host. */
const campaign = (...values: readonly number[]) =>
  analysisOf([
    plantedWave(1, 1, [
      ...[1.0001, 0.9999].map((value): PlantedRun => ({ config: 0, host: 0, value })),
      ...values.map((value): PlantedRun => ({ config: 1, host: 0, value })),
    ]),
  ]);

it('is reached by the best configuration, and asks for another run where one alone has reached it', () => {
  const once = reachedTarget(campaign(0.95), 0.96);
  expect(once).toMatchObject({ target: 0.96, config: { experiments: ['exp-0003'] } });
  expect(once && targetWords(once)).toMatch(
    /^Nearly done, limits\.target 0\.96 is reached: exp-0003 is taken to score 0\.95\d* \(n=1\); run it again/,
  );
  const twice = reachedTarget(campaign(0.95, 0.9502), 0.96);
  expect(twice && targetWords(twice)).toMatch(
    /^Stop, limits\.target 0\.96 is reached: .*\(n=2\); keep it and report\.$/,
  );
});

it('is not reached by a value that is worse, by one lucky run of several, or where there is no target', () => {
  expect(reachedTarget(campaign(0.97), 0.96)).toBeNull();
  expect(reachedTarget(campaign(0.955, 0.975), 0.96)).toBeNull();
  expect(reachedTarget(campaign(0.9), null)).toBeNull();
  expect(reachedTarget(analysisOf([]), 0.96)).toBeNull();
});

it('is reached from below where more is better', () => {
  const analysis = { ...campaign(1.2, 1.2001), metric: { name: 'val_bpb', goal: 'maximize' } as const };
  expect(reachedTarget(analysis, 1.1)).toMatchObject({ config: { experiments: ['exp-0003', 'exp-0004'] } });
  expect(reachedTarget(analysis, 1.3)).toBeNull();
});
