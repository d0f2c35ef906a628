import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { BlockedObservation } from '../../src/domain/analysis/observations.js';

export const FixtureRun = z.object({ config: z.string(), block: z.string(), value: z.number() });

/** What `test/oracles/statistics.py` worked out with SciPy and statsmodels. */
export function statisticsFixture<Shape extends z.ZodType>(name: string, shape: Shape): z.infer<Shape> {
  const file = new URL(`../fixtures/statistics/${name}.json`, import.meta.url);
  return shape.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** A run of a configuration on a block, for tests that are about nothing else. */
export const observed = (
  config: string,
  block: string,
  value: number,
  numSteps: number | null = null,
): BlockedObservation => ({
  experimentId: `${config} on ${block}`,
  config,
  block,
  value,
  numSteps,
  accelerators: null,
  levels: {},
});
