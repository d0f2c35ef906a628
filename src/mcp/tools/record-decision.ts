import { z } from 'zod';
import { DECISIONS, isBacked } from '../../domain/decision.js';
import { ExperimentId } from '../../domain/ids.js';
import { tryToAdvance } from '../../lab/advance.js';
import { PATIENCE_MS } from '../../lab/patience.js';
import { recordDecision } from '../../lab/record-decision.js';
import { defineTool } from '../define-tool.js';
import { rounded, signed } from '../words.js';

export const recordDecisionTool = defineTool({
  name: 'record_decision',
  title: 'Record a decision',
  description:
    'Records keep or discard. keep writes the experiment’s code into the project’s files and makes it the incumbent; without verdict win it counts as one without evidence. Then design the next wave on it.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    experiment_id: ExperimentId,
    decision: z.enum(DECISIONS),
    reason: z.string().min(1).max(500),
    commit: z.boolean().default(false).describe('keep only: git commit of the changed files.'),
  }),
  output: z.strictObject({
    decision: z.string(),
    verdict: z.string().optional(),
    delta: z.number().optional(),
    incumbent: z.string().optional(),
    changed: z.array(z.string()),
    commit: z.string().optional(),
    notes: z.array(z.string()).optional(),
  }),
  async run(lab, { experiment_id, decision: kind, reason, commit }) {
    // What has just ended can be decided on; where the machines do not answer, what is on record can be.
    const unseen = await tryToAdvance(lab, PATIENCE_MS);
    const { decision, delta, incumbent, changed, ...decided } = await recordDecision(lab, {
      id: experiment_id,
      kind,
      reason,
      commit,
    });
    const notes = [...decided.notes, ...(unseen === null ? [] : [unseen])];
    const difference = delta === null ? '' : ` (${signed(delta)} against the incumbent before)`;
    return {
      structured: {
        decision: kind,
        ...(decision.verdict === null ? {} : { verdict: decision.verdict }),
        ...(delta === null ? {} : { delta: rounded(delta) }),
        ...(incumbent === null ? {} : { incumbent }),
        changed: [...changed],
        ...(decision.commit === null ? {} : { commit: decision.commit }),
        ...(notes.length > 0 ? { notes } : {}),
      },
      text: [
        kind === 'discard'
          ? `${experiment_id} discarded; the incumbent is ${incumbent ?? 'none'}.`
          : `${experiment_id} kept${isBacked(decision) ? '' : ' without evidence'}${difference}: it is the incumbent.`,
        ...(kind === 'keep'
          ? [changed.length > 0 ? `Changed: ${changed.join(', ')}.` : 'No file had to be changed.']
          : []),
        ...(decision.commit === null ? [] : [`Commit ${decision.commit.slice(0, 12)}.`]),
        ...notes,
      ].join(' '),
    };
  },
});
