import { z } from 'zod';
import { dollars, unpricedWords } from '../domain/cost.js';
import type { PlannedDesign } from '../domain/design/expand-design.js';
import type { Experiment } from '../domain/experiment.js';
import { experimentsOf } from '../domain/wave.js';
import type { Plan } from '../lab/plan-runs.js';
import type { Answer } from './define-tool.js';
import { cents, idRange, rounded } from './words.js';

/** What every launching tool answers: ids at once, in the order asked for (a baseline that was added stands first). */
export const Launched = z.strictObject({
  wave_id: z.string().optional(),
  experiment_ids: z.array(z.string()),
  clusters: z.array(z.string()),
  duplicates: z
    .array(
      z.strictObject({
        description: z.string(),
        experiment_id: z.string(),
        state: z.string(),
        value: z.number().optional(),
        why: z.string().optional(),
      }),
    )
    .optional()
    .describe('Run before: not run again.'),
  projected_usd: z.number().optional(),
  notes: z.array(z.string()).optional(),
});

/** @param design what the design of the wave said of itself; null for a list */
export function launchedAnswer(
  plan: Plan,
  metric: string,
  design: PlannedDesign | null = null,
): Answer<z.input<typeof Launched>> {
  const runs = plan.wave ? experimentsOf(plan.wave) : [];
  const ids = runs.map(({ id }) => id);
  const clusters = [...new Set(runs.flatMap(({ cluster }) => cluster ?? []))].sort();
  const notes = [
    ...(plan.baseIsIncumbent ? [] : ['The project’s code is not the incumbent’s: differences include that change.']),
    ...runs.flatMap(({ id, note }) => (note === null ? [] : [`${id}: ${note}`])),
    ...(runs[0]?.isBaseline && !runs[0].isSentinel ? [`${runs[0].id} is the unchanged base.`] : []),
    ...sentinelNote(runs),
    ...designNotes(plan, design),
    ...limitNotes(plan),
  ];
  const usd = plan.cost?.unpriced === 0 ? plan.cost.usd : null;
  const duplicates = plan.duplicates.map(({ description, of, why }) => {
    const value = of.metrics?.[metric];
    return {
      description,
      experiment_id: of.id,
      state: of.state,
      ...(value === undefined ? {} : { value: rounded(value) }),
      ...(why === null ? {} : { why }),
    };
  });
  const waveId = plan.wave?.wave.id;
  const text = [
    waveId === undefined
      ? 'Nothing launched: all of it was run before.'
      : `${waveId}: ${ids.length} experiment${ids.length === 1 ? '' : 's'} (${idRange(ids)}) on ${idRange(clusters)}.`,
    ...(duplicates.length > 0 ? [`${duplicates.length} were run before: see duplicates.`] : []),
    ...(usd === null ? [] : [`Reckon with ${dollars(usd)}, idle minutes included.`]),
    ...notes,
  ].join(' ');
  return {
    structured: {
      ...(waveId === undefined ? {} : { wave_id: waveId }),
      experiment_ids: ids,
      clusters,
      ...(duplicates.length > 0 ? { duplicates } : {}),
      ...(usd === null ? {} : { projected_usd: cents(usd) }),
      ...(notes.length > 0 ? { notes } : {}),
    },
    text,
  };
}

function sentinelNote(runs: readonly Experiment[]): string[] {
  const where = runs.flatMap(({ id, isSentinel, cluster }) => (isSentinel ? [`${id} on ${cluster}`] : []));
  return where.length > 0 ? [`Sentinels: ${where.join(', ')}.`] : [];
}

/** In brief: design_wave says all of it before. */
const MOST_ALIASES = 4;
/** From this resolution on aliases are interactions of three factors, and `separates` has said so. */
const CLEAR_RESOLUTION = 5;

function designNotes({ wave, blockedBy }: Plan, design: PlannedDesign | null): string[] {
  if (!design || !wave) return [];
  const { kind, separates, resolution } = design;
  const aliases = (resolution ?? 0) < CLEAR_RESOLUTION ? design.aliases : [];
  const more = aliases.length - MOST_ALIASES;
  return [
    // Of a design that gives nothing up there is nothing to say.
    ...(kind === 'full_factorial' ? [] : [separates]),
    ...(aliases.length > 0
      ? [`Aliases: ${aliases.slice(0, MOST_ALIASES).join('; ')}${more > 0 ? `; ${more} more` : ''}.`]
      : []),
    ...blockNotes(blockedBy),
  ];
}

/** What a design gives up so that its factors do not go along with the machines. */
export const blockNotes = (generators: readonly string[]): string[] =>
  generators.length > 0
    ? [
        `What the clusters differ by cannot be told from ${generators.join(', ')}${generators.length > 1 ? ' and their products' : ''}.`,
      ]
    : [];

/** A fleet that a limit kept small, and a cost that is not the whole: what a careful person would want to know. */
function limitNotes({ bound, cost }: Plan): string[] {
  const unpriced = cost?.usd === null || cost === null ? null : unpricedWords(cost);
  return [
    ...(bound?.by === 'accelerators' || bound?.by === 'max_cost_per_hour_usd'
      ? [`limits.${bound.by} allowed ${bound.launched} new cluster${bound.launched === 1 ? '' : 's'}.`]
      : []),
    ...(unpriced === null ? [] : [`${unpriced}.`]),
  ];
}
