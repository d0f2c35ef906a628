import { z } from 'zod';
import { DESIGN_NAMES } from '../domain/design/index.js';
import { Edit, Literal } from '../domain/experiment.js';

const Labelled = z.strictObject({
  levels: z.record(
    z.string(),
    z.strictObject({ overrides: z.record(z.string(), Literal).optional(), edits: z.array(Edit).optional() }),
  ),
});

const Levels = z.array(Literal);

/** Checked here and open in the JSON Schema: a union of arrays and objects makes some clients drop the whole tool list. */
const Factor = z.custom<z.infer<typeof Levels> | z.infer<typeof Labelled>>(
  (value) => Levels.safeParse(value).success || Labelled.safeParse(value).success,
  'Expected a list of levels, or {"levels": {"LABEL": {"overrides": {…}, "edits": […]}}}',
);

export const DesignInput = z.strictObject({
  kind: z.enum(DESIGN_NAMES).default('full_factorial'),
  factors: z
    .record(z.string(), Factor)
    .describe(
      'By constant, its levels: {"MATRIX_LR": [0.03, 0.05]}. For what is no constant: {"ACTIVATION": {"levels": {"relu": {}, "gelu": {"edits": [{file, find, replace}]}}}}.',
    ),
});
