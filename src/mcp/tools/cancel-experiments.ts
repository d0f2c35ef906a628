import { z } from 'zod';
import { ExperimentId } from '../../domain/ids.js';
import { cancelExperiments } from '../../lab/cancel-experiments.js';
import { defineTool } from '../define-tool.js';
import { idRange } from '../words.js';

export const cancelExperimentsTool = defineTool({
  name: 'cancel_experiments',
  title: 'Cancel experiments',
  description:
    'Cancels experiments that wait or run; their clusters go on with what is next. Ended ones stay as they are. To end clusters use teardown.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({ experiment_ids: z.array(ExperimentId).min(1) }),
  output: z.strictObject({
    cancelled: z.array(z.string()),
    ended_before: z.array(z.string()),
    still_ending: z.boolean().optional().describe('Some of these jobs are not gone yet; nothing more need be done.'),
  }),
  async run(lab, { experiment_ids }) {
    const { cancelled, settled, haveJobsEnded } = await cancelExperiments(lab, experiment_ids);
    const [ids, before] = [cancelled, settled].map((runs) => runs.map(({ id }) => id));
    return {
      structured: {
        cancelled: ids ?? [],
        ended_before: before ?? [],
        ...(haveJobsEnded ? {} : { still_ending: true }),
      },
      text: [
        `Cancelled: ${idRange(ids ?? []) || 'none'}.`,
        ...(before?.length ? [`Had ended before: ${idRange(before)}.`] : []),
        ...(haveJobsEnded ? [] : ['Some of their jobs are not gone yet; nothing more need be done.']),
      ].join(' '),
    };
  },
});
