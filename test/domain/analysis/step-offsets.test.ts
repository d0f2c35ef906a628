import { expect, it } from 'vitest';
import { z } from 'zod';
import { stepOffsets } from '../../../src/domain/analysis/step-offsets.js';
import { readFixture } from '../../support/design-fixture.js';

const { sets } = readFixture(
  'step-offsets',
  z.object({
    sets: z.array(
      z.object({
        name: z.string(),
        runs: z.array(z.object({ block: z.string(), steps: z.number(), value: z.number() })),
        offsets: z.array(z.number()),
      }),
    ),
  }),
);

it.each(sets)(
  'are SciPy’s regression of the machines’ means on the logarithm of their steps: $name',
  ({ runs, offsets }) => {
    const blocks = [...new Set(runs.map(({ block }) => block))].map((block) => ({ block }));
    const found = stepOffsets(
      runs.map(({ steps, ...run }) => ({ ...run, numSteps: steps })),
      blocks,
    );
    for (const [h, offset] of offsets.entries()) expect(found?.get(h, 0)).toBeCloseTo(offset, 9);
  },
);
