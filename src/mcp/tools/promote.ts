import { z } from 'zod';
import { verdictWords } from '../../domain/standing.js';
import { promote } from '../../lab/promote.js';
import { defineTool } from '../define-tool.js';
import { launchedAnswer } from '../launched.js';
import { rounded } from '../words.js';

export const promoteTool = defineTool({
  name: 'promote',
  title: 'Promote the best',
  description:
    'Runs the best k configurations again on a tier, by shrunk estimate, with the incumbent as control. Wait with fetch_result; analyze_results then says what held up.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    k: z.number().int().min(1).max(16).default(3),
    tier: z.string().default('validate'),
    replicates: z.number().int().min(1).max(8).default(2),
  }),
  output: z.strictObject({
    wave_id: z.string().optional(),
    experiment_ids: z.array(z.string()),
    promoted: z.record(z.string(), z.number()).describe('Shrunk estimates.'),
    notes: z.array(z.string()).optional(),
  }),
  async run(lab, ask) {
    const { plan, control, candidates } = await promote(lab, ask);
    const { structured, text } = launchedAnswer(plan, lab.project.settings.metric.name);
    const chosen = candidates.map(({ experiment, config, estimate }) => {
      const words = config.judgement && verdictWords(config.judgement);
      return `${experiment.id} ${rounded(estimate)}${words === null ? '' : ` ${words}`}`;
    });
    return {
      structured: {
        ...(structured.wave_id === undefined ? {} : { wave_id: structured.wave_id }),
        experiment_ids: structured.experiment_ids,
        promoted: Object.fromEntries(candidates.map(({ experiment, estimate }) => [experiment.id, rounded(estimate)])),
        ...(structured.notes === undefined ? {} : { notes: structured.notes }),
      },
      text: `${text} Promoted: ${chosen.join('; ')}; control ${control.id}.`,
    };
  },
});
