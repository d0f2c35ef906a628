import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compareHardware } from '../../../src/domain/analysis/hardware.js';
import { readFixture } from '../../support/design-fixture.js';

const run = (accelerator: string, config: string, value: number, steps: number | null = null) => ({
  accelerator,
  config,
  value,
  steps,
  trainingSeconds: steps === null ? null : 300,
});

const { sets } = readFixture(
  'hardware',
  z.object({
    sets: z.array(
      z.object({
        name: z.string(),
        noise: z.object({ sd: z.number(), df: z.number() }).nullable(),
        reference: z.string(),
        offsets: z.array(z.object({ accelerator: z.string(), offset: z.number(), se: z.number() })),
        runs: z.array(z.object({ config: z.string(), accelerator: z.string(), value: z.number() })),
      }),
    ),
  }),
);

describe('hardware', () => {
  it.each(sets)('has the offsets and errors of statsmodels’ fit: $name', ({ runs, noise, reference, offsets }) => {
    const report = compareHardware(
      runs.map(({ accelerator, config, value }) => run(accelerator, config, value)),
      noise,
    );
    expect(report?.reference).toBe(reference);
    expect(report?.rows.length).toBe(offsets.length + 1);
    for (const { accelerator, offset, se } of offsets) {
      const row = report?.rows.find((one) => one.accelerator === accelerator);
      expect(row?.offset).toBeCloseTo(offset, 9);
      expect(row?.offsetSe).toBeCloseTo(se, 9);
    }
  });

  it('is compared by configurations that ran on both, as in the published run: 9 % more steps, 0.005 lower', () => {
    const report = compareHardware(
      [
        run('H100:1', 'a', 0.98, 1060),
        run('H100:1', 'b', 0.985, 1060),
        run('H100:1', 'c', 0.999, 1060),
        run('H200:1', 'a', 0.975, 1140),
        run('H200:1', 'b', 0.98, 1141),
      ],
      { sd: 5e-4, df: 8 },
    );
    expect(report).toMatchObject({ reference: 'H100:1' });
    const [h100, h200] = report?.rows ?? [];
    expect(h100).toMatchObject({ n: 3, steps: 1060, offset: 0, offsetSe: null });
    expect(h100?.stepMilliseconds).toBeCloseTo(283.02, 2);
    expect(h200?.steps).toBe(1140.5);
    expect(h200?.stepMilliseconds).toBeCloseTo(263.04, 2);
    expect(h200?.offset).toBeCloseTo(-0.005, 10);
    // Two differences of two runs each: σ √(2 / 2).
    expect(h200?.offsetSe).toBeCloseTo(5e-4, 10);
  });

  it('reaches the reference through a third accelerator, and is null where nothing does', () => {
    const report = compareHardware(
      [
        run('A', 'x', 1),
        run('A', 'x', 1),
        run('A', 'y', 2),
        run('B', 'y', 2.5),
        run('B', 'z', 4),
        run('C', 'z', 3),
        run('D', 'alone', 9),
        run('E', 'alone', 7),
      ],
      null,
    );
    expect(report?.rows.map(({ accelerator, offset }) => [accelerator, offset && Number(offset.toFixed(9))])).toEqual([
      ['A', 0],
      ['B', 0.5],
      ['C', -0.5],
      ['D', null],
      ['E', null],
    ]);
    expect(report?.rows[1]).toMatchObject({ steps: null, stepMilliseconds: null });
  });

  it('is null without runs', () => {
    expect(compareHardware([], null)).toBeNull();
  });
});
