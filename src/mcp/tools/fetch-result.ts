import { z } from 'zod';
import { AutoresearchError } from '../../domain/errors.js';
import { isSettled } from '../../domain/experiment.js';
import { ExperimentId, WaveId } from '../../domain/ids.js';
import { bestOf, type Standing, verdictWords } from '../../domain/standing.js';
import { fetchResults, type Results } from '../../lab/fetch-results.js';
import { defineTool } from '../define-tool.js';
import { ExperimentRow, rowOf, signed } from '../words.js';

export const fetchResultTool = defineTool({
  name: 'fetch_result',
  title: 'Fetch results',
  description:
    'Returns state, metric, difference from the incumbent and crash cause of a wave’s experiments that have ended, or of named ones; can wait until all have. Call it again while some run; then design the next wave.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    wave_id: WaveId.optional(),
    experiment_ids: z.array(ExperimentId).optional().describe('Also those that have not ended are shown.'),
    wait_seconds: z
      .number()
      .min(0)
      .max(50)
      .default(0)
      .describe('Longest wait for all to end. The jobs go on after it.'),
    detail: z.enum(['brief', 'full']).default('brief').describe('full: all metrics, 20 lines of a crash.'),
  }),
  output: z.strictObject({
    ended: z.number(),
    total: z.number(),
    experiments: z.array(ExperimentRow).optional(),
  }),
  async run(lab, { wave_id, experiment_ids = [], wait_seconds, detail }, { signal, onProgress }) {
    if (wave_id === undefined && experiment_ids.length === 0) {
      throw new AutoresearchError('invalid_input', 'Nothing says whose results.', 'Give wave_id or experiment_ids.');
    }
    const results = await fetchResults(
      lab,
      { waveId: wave_id ?? null, experimentIds: experiment_ids },
      {
        timeoutMs: wait_seconds * 1000,
        signal,
        onProgress: (ended, total) => onProgress(ended, total, `${ended} of ${total} have ended`),
      },
    );
    const { campaign, standings } = results;
    const ended = standings.filter(({ experiment }) => isSettled(experiment.state));
    const isWhole = ended.length === standings.length;
    // While a wave runs on, only counts: each row is sent once, with all the others.
    const shown = experiment_ids.length > 0 ? standings : isWhole || wait_seconds === 0 ? ended : [];
    return {
      structured: {
        ended: ended.length,
        total: standings.length,
        ...(shown.length > 0
          ? { experiments: shown.map((standing) => rowOf(standing, campaign.metric.name, detail)) }
          : {}),
      },
      text: isWhole
        ? summary(results)
        : `${ended.length}/${standings.length} ended.${results.unseen === null ? '' : ` ${results.unseen}`}`,
      links: standings.length === 1 ? linksOf(standings[0]?.experiment.id ?? '') : [],
    };
  },
});

function summary({ campaign, standings }: Results): string {
  const { metric, incumbent } = campaign;
  // A replicate of the incumbent that looks better is noise.
  const candidates = standings.filter(({ isControl }) => !isControl);
  const best = bestOf(candidates.length > 0 ? candidates : standings, metric.goal).slice(0, 5);
  const [first] = best;
  const failed = standings.filter(({ value }) => value === null).length;
  const delta = first?.delta ?? null;
  return [
    `${standings.length - failed} with a result${failed > 0 ? `, ${failed} without` : ''}.`,
    ...(first
      ? [
          `Best ${metric.name}: ${best.map(({ experiment, value }) => `${experiment.id} ${value?.toFixed(6)}`).join(', ')}.`,
        ]
      : []),
    ...(delta === null ? [] : [`Best − incumbent ${incumbent} = ${signed(delta)}; ${first ? judged(first) : ''}.`]),
  ].join(' ');
}

const judged = (standing: Standing): string =>
  standing.isControl
    ? 'the same code, so that is noise'
    : (verdictWords(standing) ?? 'without a noise floor that is no win yet');

const linksOf = (id: string) => [
  { uri: `autoresearch://experiments/${id}/log`, name: `${id} log` },
  { uri: `autoresearch://experiments/${id}/diff`, name: `${id} diff` },
];
