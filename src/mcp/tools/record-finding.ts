import { z } from 'zod';
import { ExperimentId, FindingId } from '../../domain/ids.js';
import { noteFinding } from '../../lab/note-finding.js';
import { defineTool } from '../define-tool.js';

export const recordFindingTool = defineTool({
  name: 'record_finding',
  title: 'Record a finding',
  description:
    'Writes a sentence that you learnt into the notebook for later campaigns. What analyses show the server notes itself; read autoresearch://findings first.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({
    text: z.string().min(1).max(500),
    experiment_ids: z.array(ExperimentId).default([]),
    refutes: FindingId.optional().describe('A finding that is wrong.'),
  }),
  output: z.strictObject({ finding_id: z.string() }),
  async run(lab, { text, experiment_ids, refutes }) {
    const { id } = await noteFinding(lab, { text, experimentIds: experiment_ids, refutes: refutes ?? null });
    return { structured: { finding_id: id }, text: `${id}${refutes ? `, which refutes ${refutes}` : ''}.` };
  },
});
