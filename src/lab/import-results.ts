import { createHash } from 'node:crypto';
import type { CampaignFile } from '../domain/campaign.js';
import type { Decision } from '../domain/decision.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, metricOf } from '../domain/experiment.js';
import { type ExperimentId, SnapshotHash, type WaveId } from '../domain/ids.js';
import { ProjectFile } from '../domain/project.js';
import { type ResultsRow, readResultsTsv } from '../domain/read-results-tsv.js';
import { experimentsOf } from '../domain/wave.js';
import { type Lab, newCampaign } from './lab.js';

export interface Imported {
  readonly campaign: string;
  readonly experiments: readonly Experiment[];
  /** Of those, that have a result. */
  readonly withResult: number;
  /** Had been imported before. */
  readonly known: number;
  readonly problems: readonly string[];
}

/**
 * Reads the results of a campaign that ran elsewhere, for `query_experiments` and as a record. They are a campaign of their own: nobody
 * knows what code they ran, on which machine, so they are no part of an analysis, and no new run is a duplicate of one.
 * @param source what the file is called
 * @throws invalid_input for a file without a header, and a campaign that has runs of its own
 */
export async function importResults(
  lab: Lab,
  { text, source, campaign }: { readonly text: string; readonly source: string; readonly campaign: string },
): Promise<Imported> {
  const { metric } = lab.project.settings;
  assertName(campaign);
  const { rows, problems } = readResultsTsv(text, metric.name);
  const earlier = (await lab.store.waves()).flatMap(experimentsOf).filter((run) => run.campaign === campaign);
  if (earlier.some(({ imported }) => !imported) || (campaign === lab.project.campaign && earlier.length === 0)) {
    throw new AutoresearchError(
      'invalid_input',
      `Campaign ${campaign} is for runs of this server; imported ones, of which nobody knows the code and the machine, would be ranked among them.`,
      'Name another with --campaign, or leave it out.',
    );
  }
  const stored = await lab.store.campaign(campaign);
  if (stored && (stored.metric.name !== metric.name || stored.metric.goal !== metric.goal)) {
    throw new AutoresearchError(
      'invalid_input',
      `Campaign ${campaign} has the metric ${stored.metric.goal} ${stored.metric.name}, and the project ${metric.goal} ${metric.name}.`,
      'Name another with --campaign.',
    );
  }
  const before = new Set(
    earlier.map((run) => markOf(run.facts['imported_as'] ?? null, run.description, metricOf(run, metric.name))),
  );
  const fresh = rows.filter(({ name, description, value }) => !before.has(markOf(name, description, value)));
  const known = rows.length - fresh.length;
  if (fresh.length === 0) return { campaign, experiments: [], withResult: 0, known, problems };

  await lab.store.updateCampaign(
    campaign,
    () => emptyCampaign(lab, campaign),
    () => undefined,
  );
  const nonce = lab.randomId();
  const wave = await lab.store.createWave((ids) => {
    const experiments = fresh.map((row) => {
      const id = ids.experiment();
      return experimentOf(row, { id, waveId: ids.wave, campaign, source, nonce, at: lab.now(), metric: metric.name });
    });
    return {
      wave: {
        id: ids.wave,
        campaign,
        description: `imported from ${source}`,
        kind: 'list',
        factors: {},
        base: unknownCode(nonce, 'base'),
        accelerators: [],
        createdAt: lab.now(),
      },
      experiments: Object.fromEntries(experiments.map((run) => [run.id, run])),
    };
  });
  const experiments = wave ? experimentsOf(wave) : [];
  for (const { id } of experiments) {
    await lab.store.keepText(id, 'diff.patch', `Imported from ${source}: its code is not known.\n`);
    await lab.store.keepText(id, 'log.txt', `Imported from ${source}: its log is not known.\n`);
  }
  return {
    campaign,
    experiments,
    withResult: experiments.filter(({ state }) => state === 'done').length,
    known,
    problems,
  };
}

/** Its name is a file's name, too. */
function assertName(campaign: string): void {
  const parsed = ProjectFile.shape.campaign.safeParse(campaign);
  if (parsed.success) return;
  const what = parsed.error.issues[0]?.message ?? 'not a name';
  throw new AutoresearchError(
    'invalid_input',
    `--campaign ${campaign}: ${what}.`,
    'For example: --campaign last-week.',
  );
}

/** With a mark of its own: none of its clusters, should it ever have any, is another campaign's. */
const emptyCampaign = (lab: Lab, name: string): CampaignFile => ({
  ...newCampaign(lab),
  name,
  mark: createHash('sha256').update(`${lab.mark}\n${name}`).digest('hex').slice(0, 6),
});

const markOf = (name: string | null, description: string, value: number | null): string =>
  JSON.stringify([name, description, value]);

/** Has the form of a snapshot's hash, and is none: different for each run, so that no two seem to be of the same code. */
const unknownCode = (nonce: string, of: string): SnapshotHash =>
  SnapshotHash.parse(createHash('sha256').update(`imported\n${nonce}\n${of}`).digest('hex'));

interface Place {
  readonly id: ExperimentId;
  readonly waveId: WaveId;
  readonly campaign: string;
  readonly source: string;
  readonly nonce: string;
  readonly at: number;
  readonly metric: string;
}

function experimentOf(row: ResultsRow, { id, waveId, campaign, source, nonce, at, metric }: Place): Experiment {
  const { name, value, memoryGb, description } = row;
  return {
    id,
    waveId,
    campaign,
    description,
    overrides: {},
    edits: [],
    workdir: null,
    levels: {},
    replicateOf: null,
    isBaseline: false,
    isSentinel: false,
    snapshot: unknownCode(nonce, id),
    identity: null,
    base: unknownCode(nonce, `base of ${id}`),
    state: value === null ? 'crashed' : 'done',
    note: `Imported from ${source}${name === null ? '' : ` (${name})`}: its code and its machine are not known.`,
    cluster: null,
    jobId: null,
    move: null,
    attempt: 1,
    losses: 0,
    nonce,
    plannedAt: at,
    queuedAt: null,
    startedAt: null,
    endedAt: null,
    settledAt: at,
    accelerators: null,
    hardware: null,
    pricePerHourUsd: null,
    exitCode: null,
    metrics:
      value === null ? null : { [metric]: value, ...(memoryGb === null ? {} : { peak_vram_mb: memoryGb * 1024 }) },
    facts: name === null ? {} : { imported_as: name },
    modelConfig: null,
    crash: value === null ? { cause: 'no_result', message: `${source} has no result of it.`, tail: '' } : null,
    decision: decisionOf(row, source, at),
    imported: true,
  };
}

function decisionOf({ status, commit }: ResultsRow, source: string, at: number): Decision | null {
  if (status !== 'keep' && status !== 'discard') return null;
  return {
    kind: status,
    reason: `As ${source} says.`,
    at,
    verdict: null,
    against: null,
    commit: status === 'keep' ? commit : null,
  };
}
