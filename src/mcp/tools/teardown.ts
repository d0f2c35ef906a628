import { z } from 'zod';
import { ClusterId } from '../../domain/ids.js';
import { tearDown } from '../../lab/tear-down.js';
import { defineTool } from '../define-tool.js';
import { idRange } from '../words.js';

export const teardownTool = defineTool({
  name: 'teardown',
  title: 'Tear clusters down',
  description:
    'Ends clusters of this campaign, named, idle or all, and cancels what still runs there; those of others are never touched. With dry_run it only says what would end: call it so first when something may be running.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    clusters: z.array(ClusterId).default([]),
    idle_only: z.boolean().default(false),
    all: z.boolean().default(false),
    dry_run: z.boolean().default(false),
  }),
  output: z.strictObject({
    clusters: z.array(z.string()),
    still_ending: z.array(z.string()).optional().describe('Of these, what is not gone yet; nothing more need be done.'),
    cancelled: z.array(z.string()).describe('Experiments that ran or waited there.'),
    dry_run: z.boolean(),
  }),
  async run(lab, { clusters, idle_only, all, dry_run }) {
    const ended = await tearDown(lab, { clusters, idleOnly: idle_only, all, dryRun: dry_run });
    const names = ended.clusters.map(({ id }) => id);
    const ending = ended.ending.map(({ id }) => id);
    const cancelled = ended.experiments.map(({ id }) => id);
    const what = names.length === 0 ? 'No cluster' : idRange(names);
    return {
      structured: { clusters: names, ...(ending.length > 0 ? { still_ending: ending } : {}), cancelled, dry_run },
      text: `${what} ${dry_run ? 'would end' : ending.length === 0 ? 'ended' : ending.length < names.length ? `told to end, ${idRange(ending)} still going down` : 'still going down'}; ${cancelled.length === 0 ? 'nothing was running there' : `${idRange(cancelled)} ${dry_run ? 'would be cancelled' : 'cancelled'}`}.`,
    };
  },
});
