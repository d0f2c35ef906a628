import { expect, it } from 'vitest';
import { bestEstimate, rankConfigs } from '../../../src/domain/analysis/ranking.js';
import { analysisOf, type PlantedRun, plantedWave } from '../../support/planted-wave.js';

it('ranks candidates that differ by noise alone, whose shrunk values are one, by their adjusted values', () => {
  const base = [1, 1.2, 0.8, 1.1, 0.9].map((value): PlantedRun => ({ config: 0, host: 0, value }));
  const candidates = [1.05, 0.95, 1.02, 0.97].map((value, at): PlantedRun => ({ config: at + 1, host: 0, value }));
  const { configs } = rankConfigs(analysisOf([plantedWave(1, 1, [...base, ...candidates])]), null);
  expect(new Set(configs.map((config) => bestEstimate(config).toFixed(9))).size).toBe(1);
  expect(configs.map(({ estimate }) => estimate.rawMean)).toEqual([0.95, 0.97, 1.02, 1.05]);
});
