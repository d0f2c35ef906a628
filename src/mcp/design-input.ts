import { z } from 'zod';
import { SCALES } from '../domain/design/factor.js';
import { DESIGN_NAMES } from '../domain/design/index.js';
import { Edit, Literal } from '../domain/experiment.js';

const Labelled = z.strictObject({
  levels: z.record(
    z.string(),
    z.strictObject({ overrides: z.record(z.string(), Literal).optional(), edits: z.array(Edit).optional() }),
  ),
});

const Range = z.strictObject({ low: z.number(), high: z.number(), scale: z.enum(SCALES).optional() });

const Levels = z.array(Literal);

/** Checked here and open in the JSON Schema: a union of arrays and objects makes some clients drop the whole tool list. */
const Factor = z.custom<z.infer<typeof Levels> | z.infer<typeof Range> | z.infer<typeof Labelled>>(
  (value) => [Levels, Range, Labelled].some((form) => form.safeParse(value).success),
  'Expected a list of levels, {"low": …, "high": …, "scale": "linear" or "log"}, or {"levels": {"LABEL": {"overrides": {…}, "edits": […]}}}',
);

export const DesignInput = z.strictObject({
  kind: z.enum(DESIGN_NAMES).default('full_factorial'),
  size: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe('Runs of a fractional_factorial (4, 8, 16, 32) or a latin_hypercube.'),
  factors: z
    .record(z.string(), Factor)
    .describe(
      'By constant, its levels: {"MATRIX_LR": [0.03, 0.05]}, or a range: {"MATRIX_LR": {"low": 0.02, "high": 0.1, "scale": "log"}}; whole low and high give whole levels. For what is no constant: {"ACTIVATION": {"levels": {"relu": {}, "gelu": {"edits": [{file, find, replace}]}}}}.',
    ),
});

export const Sentinels = z.number().int().min(0).max(16).optional();

export const SentinelsInput = Sentinels.describe(
  'Replicates of the incumbent beside them, one on each accelerator at least; by default 2 from 8 runs on.',
);

/** The same object where launch_wave has described it already: twice would cost each agent its tokens twice. */
export const DesignAgain = z
  .custom<z.input<typeof DesignInput>>(
    (value) => DesignInput.safeParse(value).success,
    'Expected a design as launch_wave takes it: {"factors": {"MATRIX_LR": [0.03, 0.05]}, "kind": "full_factorial"}',
  )
  .transform((value) => DesignInput.parse(value))
  .meta({ type: 'object', description: 'As in launch_wave: {factors, kind, size}.' });
