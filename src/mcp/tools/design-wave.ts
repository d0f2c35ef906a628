import { z } from 'zod';
import { dollars } from '../../domain/cost.js';
import { planDesign } from '../../domain/design/expand-design.js';
import { previewWave, type WavePreview } from '../../lab/preview-wave.js';
import { defineTool } from '../define-tool.js';
import { DesignAgain, Sentinels } from '../design-input.js';
import { blockNotes } from '../launched.js';
import { AcceleratorsInput, cents, minutes, rounded, wantedAccelerators } from '../words.js';

export const designWaveTool = defineTool({
  name: 'design_wave',
  title: 'Design a wave',
  description:
    'Shows what launch_wave would run for a design, without launching: its runs, what they can and cannot tell apart, what was run before, minutes, dollars. Then call launch_wave with the same arguments.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    design: DesignAgain,
    replicates: z.number().int().min(1).max(8).default(1),
    sentinels: Sentinels,
    tier: z.string().optional(),
    accelerators: AcceleratorsInput,
  }),
  output: z.strictObject({
    /** The points; those that are not run, with what answers for them. */
    runs: z.array(z.string()),
    /** To be run now, with replicates, sentinels and a baseline. */
    total_runs: z.number(),
    sentinels: z.number(),
    generators: z.array(z.string()).optional(),
    resolution: z.number().optional(),
    aliases: z.array(z.string()).optional(),
    separates: z.string(),
    clusters: z.record(z.string(), z.number()).optional(),
    minutes: z.number().optional(),
    usd: z.number().optional(),
    notes: z.array(z.string()).optional(),
  }),
  async run(lab, { design, replicates, sentinels, ...where }) {
    const { metric, tiers } = lab.project.settings;
    const planned = planDesign(design);
    const { kind, requests, runOrder, generators, resolution, aliases, separates } = planned;
    const preview = await previewWave(lab, {
      description: '',
      kind,
      factors: {},
      requests,
      replicates,
      accelerators: wantedAccelerators(tiers, where),
      cluster: null,
      withBaseline: true,
      sentinels: sentinels ?? null,
      runOrder,
    });
    const { seated, seconds, cost } = preview;
    const { runs, before } = runLines(preview, requests, metric.name);
    const total = seated?.runs.length ?? 0;
    const ofSentinels = seated?.runs.filter(({ fresh }) => fresh.isSentinel).length ?? 0;
    const notes = notesOf(preview);
    const usd = cost?.unpriced === 0 ? cost.usd : null;
    return {
      structured: {
        runs,
        total_runs: total,
        sentinels: ofSentinels,
        ...(generators.length > 0 ? { generators: [...generators] } : {}),
        ...(resolution === null ? {} : { resolution }),
        ...(aliases.length > 0 ? { aliases: [...aliases] } : {}),
        separates,
        ...(seated === null ? {} : { clusters: countsOn(seated.placement.placed) }),
        ...(seconds === null ? {} : { minutes: Number((seconds / 60).toFixed(1)) }),
        ...(usd === null ? {} : { usd: cents(usd) }),
        ...(notes.length > 0 ? { notes } : {}),
      },
      text: [
        `${kind}: ${runs.length} points, ${total} runs to launch${ofSentinels > 0 ? `, ${ofSentinels} of them sentinels` : ''}${before > 0 ? `; ${before} run before` : ''}.`,
        separates,
        ...(seconds === null ? [] : [`${minutes(seconds)}${usd === null ? '' : `, ${dollars(usd)}`}.`]),
        ...notes,
      ].join(' '),
    };
  },
});

/** The points in standard order; one that is not run says what answers for it, and why. */
function runLines({ draft }: WavePreview, requests: readonly { readonly description: string }[], metric: string) {
  const answers = new Map<string, string>();
  for (const { description, of, why } of draft.duplicates) {
    const value = of.metrics?.[metric];
    const result = value === undefined ? of.state : String(rounded(value));
    answers.set(description, `run before: ${of.id} ${result}${why === null ? '' : `, ${why}`}`);
  }
  for (const { description, of, why } of draft.twins) {
    answers.set(description, `same as ${of.request.description}${why === null ? '' : `, ${why}`}`);
  }
  for (const { run, isSentinel } of draft.fresh) {
    if (isSentinel) answers.set(run.request.description, 'the incumbent: its sentinel');
  }
  const runs = requests.map(({ description }) => {
    const answer = answers.get(description);
    return answer === undefined ? description : `${description} (${answer})`;
  });
  return { runs, before: draft.duplicates.length + draft.twins.length };
}

function notesOf({ aliasedLevels, refusal, seated, isTimed }: WavePreview): string[] {
  return [
    ...aliasedLevels.map(
      ({ constant, levels, experiments }) =>
        `${constant} ${levels.join(' and ')} are one model (${experiments.join(', ')} printed the same Model config).`,
    ),
    ...(refusal === null ? [] : [`launch_wave would refuse it: ${refusal}`]),
    ...blockNotes(seated?.seating.generators ?? []),
    ...correlationNote(seated?.seating.correlations ?? {}),
    ...(isTimed || seated === null
      ? []
      : ['No run has ended yet: minutes and dollars are for runs as long as they may take.']),
  ];
}

/** Below this a factor's effect loses less than a tenth of its precision to the clusters. */
const CORRELATED = 0.3;

function correlationNote(correlations: Readonly<Record<string, number>>): string[] {
  const named = Object.entries(correlations).filter(([, size]) => size > CORRELATED);
  return named.length > 0
    ? [
        `In part confounded with the machines: ${named.map(([name, size]) => `${name} (r ${size.toFixed(2)})`).join(', ')}.`,
      ]
    : [];
}

function countsOn(placed: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const cluster of [...placed].sort()) counts[cluster] = (counts[cluster] ?? 0) + 1;
  return counts;
}
