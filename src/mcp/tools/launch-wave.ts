import { z } from 'zod';
import { expandDesign } from '../../domain/design/expand-design.js';
import { submitRuns } from '../../lab/submit-runs.js';
import { defineTool } from '../define-tool.js';
import { DesignInput, SentinelsInput } from '../design-input.js';
import { Launched, launchedAnswer } from '../launched.js';
import { AcceleratorsInput, ExperimentInput, requestOf, wantedAccelerators } from '../words.js';

export const launchWaveTool = defineTool({
  name: 'launch_wave',
  title: 'Launch a wave',
  description:
    'Launches 4–16 experiments together, from a list or a design over factors, and places them over the fleet, launching clusters as needed; returns ids at once. The first wave also runs the unchanged base. Then wait with fetch_result.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    description: z.string().max(200).default('').describe('The hypothesis of the wave.'),
    experiments: z.array(ExperimentInput).max(64).optional().describe('Either this or design.'),
    design: DesignInput.optional(),
    replicates: z.number().int().min(1).max(8).default(1).describe('Runs of each point.'),
    sentinels: SentinelsInput,
    tier: z.string().optional().describe('A tier of autoresearch.yaml: screen or validate.'),
    accelerators: AcceleratorsInput,
  }),
  output: Launched,
  async run(lab, { description, experiments, design, replicates, sentinels, ...where }) {
    const { metric, tiers } = lab.project.settings;
    const { kind, factors, requests, planned } = expandDesign(experiments?.map(requestOf), design);
    const plan = await submitRuns(lab, {
      description,
      kind,
      factors,
      requests,
      replicates,
      accelerators: wantedAccelerators(tiers, where),
      cluster: null,
      withBaseline: true,
      sentinels: sentinels ?? null,
      runOrder: planned?.runOrder,
    });
    return launchedAnswer(plan, metric.name, planned);
  },
});
