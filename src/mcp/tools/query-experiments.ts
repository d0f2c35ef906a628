import { z } from 'zod';
import { levelLabel } from '../../domain/analysis/main-effects.js';
import { DECISIONS, decisionWords } from '../../domain/decision.js';
import { EXPERIMENT_STATES, Literal } from '../../domain/experiment.js';
import { WaveId } from '../../domain/ids.js';
import { pythonValue } from '../../domain/python-value.js';
import type { QueriedRun, Wanted } from '../../domain/query.js';
import { lookBriefly } from '../../lab/advance.js';
import { type QueryResult, queryExperiments } from '../../lab/query-experiments.js';
import { defineTool } from '../define-tool.js';
import { rounded } from '../words.js';

const Range = z.strictObject({ min: z.number().optional(), max: z.number().optional() });

const FIELDS = [
  'description',
  'campaign',
  'wave_id',
  'accelerators',
  'decision',
  'overrides',
  'metrics',
  'crash',
] as const;

const Row = z.record(z.string(), z.unknown());

export const queryExperimentsTool = defineTool({
  name: 'query_experiments',
  title: 'Query experiments',
  description:
    'Looks runs of all campaigns up; with group_by, what came of each level of a constant. Ask it before you design a wave; analyze_results judges.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    where: z
      .strictObject({
        state: z.enum(EXPERIMENT_STATES).optional(),
        campaign: z.string().optional(),
        wave_id: WaveId.optional(),
        accelerators: z.string().optional(),
        decision: z.enum([...DECISIONS, 'none']).optional(),
        text: z.string().optional(),
        values: z
          .record(z.string(), Literal)
          .optional()
          .describe('By constant or factor: {"DEPTH": 8, "MATRIX_LR": {"min": 0.03, "max": 0.07}}.'),
      })
      .prefault({}),
    group_by: z.string().optional().describe('A constant or factor.'),
    order_by: z.string().default('metric').describe('metric: best first; planned: latest first; or a constant.'),
    fields: z.array(z.enum(FIELDS)).default(['description']),
    limit: z.number().int().min(1).max(50).default(20),
    cursor: z.number().int().min(0).default(0).describe('next of the last answer.'),
  }),
  output: z.strictObject({
    total: z.number(),
    experiments: z.array(Row).optional(),
    groups: z.array(Row).optional().describe('n: runs with a result.'),
    next: z.number().optional(),
  }),
  async run(lab, { where, group_by, order_by, fields, limit, cursor }) {
    const unseen = await lookBriefly(lab);
    const { state, values = {} } = where;
    const result = await queryExperiments(lab, {
      where: {
        states: state === undefined ? null : [state],
        campaign: where.campaign ?? null,
        waveId: where.wave_id ?? null,
        accelerators: where.accelerators ?? null,
        decision: where.decision ?? null,
        text: where.text ?? null,
        levels: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, wanted(value)])),
      },
      orderBy: order_by,
      groupBy: group_by ?? null,
      limit,
      offset: cursor,
    });
    const { total, runs, grouped, next } = result;
    const named = [...Object.keys(values), ...(order_by === 'metric' || order_by === 'planned' ? [] : [order_by])];
    return {
      structured: {
        total,
        ...(grouped
          ? { groups: grouped.groups.map(groupRow) }
          : { experiments: runs.map((run) => rowOf(run, [...new Set(named)], fields)) }),
        ...(next === null ? {} : { next }),
      },
      text: [summary(result, group_by ?? null, cursor), ...(unseen === null ? [] : [unseen])].join(' '),
    };
  },
});

/** An object of min and max is a range, a list of values one of them; a list that is a value stands in a list. */
function wanted(value: Literal): Wanted {
  const range = Range.safeParse(value);
  if (range.success && !Array.isArray(value)) return { min: range.data.min ?? null, max: range.data.max ?? null };
  const values = Array.isArray(value) ? [value, ...value] : [value];
  // "2**18" is how a constant may be written.
  return { oneOf: values.flatMap((one) => (typeof one === 'string' ? [one, pythonValue(one)] : [one])) };
}

function rowOf({ experiment, value, levels }: QueriedRun, named: readonly string[], fields: readonly string[]) {
  const { id, state, crash } = experiment;
  const all: Record<(typeof FIELDS)[number], unknown> = {
    description: experiment.description,
    campaign: experiment.campaign,
    wave_id: experiment.waveId,
    accelerators: experiment.accelerators,
    decision: experiment.decision && decisionWords(experiment.decision),
    overrides: experiment.overrides,
    metrics: experiment.metrics,
    crash: crash && `${crash.cause}: ${crash.message}`,
  };
  return {
    experiment_id: id,
    ...(state === 'done' ? {} : { state }),
    value: value === null ? null : rounded(value),
    ...(named.length > 0 ? { values: Object.fromEntries(named.map((name) => [name, levels[name] ?? null])) } : {}),
    ...(experiment.imported ? { imported: true } : {}),
    ...Object.fromEntries(Object.entries(all).filter(([field, of]) => fields.includes(field) && of !== null)),
  };
}

type Group = NonNullable<QueryResult['grouped']>['groups'][number];

const groupRow = ({ level, n, mean, best, crashes }: Group) => ({
  level,
  n,
  ...(mean === null ? {} : { mean: rounded(mean) }),
  ...(best?.value == null ? {} : { best: rounded(best.value), best_id: best.experiment.id }),
  ...(crashes > 0 ? { crashes } : {}),
});

function summary({ metric, total, runs, grouped, next }: QueryResult, factor: string | null, cursor: number): string {
  const more = next === null ? [] : [`More from cursor ${next}.`];
  if (grouped && factor !== null) {
    const levels = grouped.groups.map(({ level, n, mean, crashes }) =>
      [
        levelLabel(level),
        mean === null ? '−' : mean.toFixed(6),
        `(n ${n}${crashes > 0 ? `, ${crashes} crashed` : ''})`,
      ].join(' '),
    );
    const lost = grouped.without > 0 ? [`${grouped.without} runs have no ${factor}.`] : [];
    return [
      `${factor}, mean ${metric.name} over all else that differed: ${levels.join('; ') || 'none'}.`,
      ...lost,
      ...more,
    ].join(' ');
  }
  const shown = runs.length === total ? `${total}` : `${cursor + 1}–${cursor + runs.length} of ${total}`;
  if (runs.length === 0) return total === 0 ? 'No run matches.' : `${total} match; none from ${cursor} on.`;
  const first = runs.slice(0, 5).map(({ experiment: { id, state }, value }) => `${id} ${value?.toFixed(6) ?? state}`);
  return [`${shown} runs: ${first.join(', ')}${runs.length > first.length ? ' …' : ''}.`, ...more].join(' ');
}
