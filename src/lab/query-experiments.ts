import type { Metric } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, type Literal, metricOf } from '../domain/experiment.js';
import { pythonValue } from '../domain/python-value.js';
import { filterRuns, type Grouped, groupRuns, type QueriedRun, sortRuns, type Where } from '../domain/query.js';
import { listed, nearestFirst } from '../domain/suggest.js';
import { experimentsOf } from '../domain/wave.js';
import { type CodeConstants, constantsOf } from './code-constants.js';
import { type Lab, readCampaign } from './lab.js';

export interface Query {
  readonly where: Where;
  /** `metric`, `planned`, or a constant or factor. */
  readonly orderBy: string;
  readonly groupBy: string | null;
  readonly limit: number;
  /** Runs, or groups, to leave out before the first. */
  readonly offset: number;
}

export interface QueryResult {
  readonly metric: Metric;
  /** Runs that match. */
  readonly total: number;
  /** Empty where groups were asked for. */
  readonly runs: readonly QueriedRun[];
  /** null where none were asked for. */
  readonly grouped: Grouped | null;
  /** Offset of what comes after; null: that was all. */
  readonly next: number | null;
}

/**
 * The results database: the runs of all campaigns of the project, judged by this campaign's metric; a run of another metric has no value.
 * @throws not_found for a campaign, wave, constant or factor that no run has, with the nearest there are
 */
export async function queryExperiments(
  lab: Lab,
  { where, orderBy, groupBy, limit, offset }: Query,
): Promise<QueryResult> {
  const { metric } = await readCampaign(lab);
  const experiments = (await lab.store.waves()).flatMap(experimentsOf);
  const names = [
    ...Object.keys(where.levels),
    ...(groupBy === null ? [] : [groupBy]),
    ...(orderBy === 'metric' || orderBy === 'planned' ? [] : [orderBy]),
  ];
  const all: QueriedRun[] = [];
  for (const experiment of experiments) {
    // The code is read only where the question is about it.
    const levels = names.length === 0 ? {} : await levelsOf(lab, experiment);
    all.push({ experiment, value: metricOf(experiment, metric.name), levels });
  }
  assertKnown(
    'campaign',
    where.campaign,
    experiments.map(({ campaign }) => campaign),
  );
  assertKnown(
    'wave',
    where.waveId,
    experiments.map(({ waveId }) => waveId),
  );
  for (const name of names)
    assertKnown(
      'constant or factor',
      name,
      all.flatMap(({ levels }) => Object.keys(levels)),
    );

  const found = filterRuns(all, where);
  const after = (count: number) => (offset + limit < count ? offset + limit : null);
  if (groupBy !== null) {
    const { groups, without } = groupRuns(found, groupBy, metric.goal);
    const page = groups.slice(offset, offset + limit);
    return { metric, total: found.length, runs: [], grouped: { groups: page, without }, next: after(groups.length) };
  }
  const runs = sortRuns(found, orderBy, metric.goal).slice(offset, offset + limit);
  return { metric, total: found.length, runs, grouped: null, next: after(found.length) };
}

/** Of a run that edits the code, its own code says; else the base's, which need be parsed once for all. */
async function levelsOf(lab: Lab, { edits, workdir, overrides, levels, base, snapshot, imported }: Experiment) {
  if (imported) return levels;
  const isEdited = edits.length > 0 || workdir !== null;
  const constants = await constantsOf(lab, isEdited ? snapshot : base);
  return { ...constants, ...inPlaceOf(constants, levels), ...inPlaceOf(constants, overrides) };
}

/** `"2**18"` is a number where one stands in the code. */
const inPlaceOf = (constants: CodeConstants, values: Readonly<Record<string, Literal>>): Record<string, Literal> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string' && typeof constants[name] === 'number' ? pythonValue(value) : value,
    ]),
  );

function assertKnown(what: string, name: string | null, names: readonly string[]): void {
  if (name === null || names.includes(name)) return;
  const known = [...new Set(names)];
  throw new AutoresearchError(
    'not_found',
    `No run has the ${what} ${name}.`,
    known.length === 0
      ? 'Nothing was run yet: call launch_wave.'
      : `The nearest: ${listed(nearestFirst(name, known), 6)}.`,
  );
}
