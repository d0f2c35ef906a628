import { z } from 'zod';
import { ClusterId } from '../../domain/ids.js';
import { submitRun } from '../../lab/submit-runs.js';
import { defineTool } from '../define-tool.js';
import { Launched, launchedAnswer } from '../launched.js';
import { AcceleratorsInput, ExperimentInput, requestOf, wantedAccelerators } from '../words.js';

export const launchExperimentTool = defineTool({
  name: 'launch_experiment',
  title: 'Launch one experiment',
  description:
    'Starts one experiment on an idle cluster of that accelerator, or on a new one; returns its id at once. Without changes it runs the project as it is. For several use launch_wave; then wait with fetch_result.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: ExperimentInput.extend({
    accelerators: AcceleratorsInput,
    tier: z.string().optional(),
    cluster: ClusterId.optional().describe('This cluster and no other.'),
  }),
  output: Launched,
  async run(lab, { accelerators, tier, cluster, ...input }) {
    const { metric, tiers } = lab.project.settings;
    const plan = await submitRun(lab, {
      description: input.description,
      kind: 'list',
      factors: {},
      requests: [requestOf(input)],
      replicates: 1,
      accelerators: wantedAccelerators(tiers, { accelerators, tier }),
      cluster: cluster ?? null,
      withBaseline: false,
    });
    return launchedAnswer(plan, metric.name);
  },
});
