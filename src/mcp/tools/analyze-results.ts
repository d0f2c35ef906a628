import { z } from 'zod';
import { WaveId } from '../../domain/ids.js';
import { lookBriefly } from '../../lab/advance.js';
import { analyseResults } from '../../lab/analyse-results.js';
import { recordReport } from '../../lab/findings.js';
import { analysisRows } from '../analysis-rows.js';
import { analysisText } from '../analysis-text.js';
import { defineTool } from '../define-tool.js';

const Facts = z.record(z.string(), z.unknown());

export const analyzeResultsTool = defineTool({
  name: 'analyze_results',
  title: 'Analyse results',
  description:
    'What was learnt: noise floor, ranking by machine-adjusted value with P(better) and verdicts, retests needed, effects, interactions, trends, aliases, hardware, tiers, crashes, gain by phase, whether to stop. Then retest, promote, or record_decision.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    wave_id: WaveId.optional().describe('Without it the whole campaign.'),
    factors: z.array(z.string()).optional().describe('Only these constants.'),
  }),
  output: z
    .object({
      results: z.number(),
      experiments: z.number(),
      noise: Facts.nullable().describe('SD of equal runs on one machine.'),
      machines: Facts,
      incumbent: Facts.optional(),
      ranking: z.array(Facts).describe('The best 5; adjusted: machines taken out.'),
      candidates: z.number(),
      verdicts: z.record(z.string(), z.number()),
      retest: z.array(Facts).describe('replicates: of it, each beside one of the incumbent.'),
      selection: Facts.describe('What luck alone would do.'),
      simpler_ties: z.array(Facts),
      phases: z.array(Facts).optional(),
    })
    // effects, trends, aliases, hardware, tiers, crashes, stopping, each where there is something to say: a schema of each costs every session tokens.
    .catchall(z.unknown()),
  async run(lab, { wave_id, factors }) {
    const unseen = await lookBriefly(lab);
    const found = await analyseResults(lab, { waveId: wave_id ?? null, factors: factors ?? null });
    // Of a part, the rest would seem refuted.
    if (wave_id === undefined && factors === undefined) await recordReport(lab, found);
    return {
      structured: analysisRows(found),
      text: [...(unseen === null ? [] : [unseen]), analysisText(found)].join('\n'),
    };
  },
});
