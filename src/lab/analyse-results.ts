import type { CampaignAnalysis, JudgedConfig } from '../domain/analysis/campaign-analysis.js';
import type { RankedConfig } from '../domain/analysis/ranking.js';
import { type ResearchReport, researchReport } from '../domain/analysis/research-report.js';
import { isSimpler, type LineBalance, lineBalance } from '../domain/analysis/simplicity.js';
import type { CampaignFile } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import type { Experiment } from '../domain/experiment.js';
import type { WaveId } from '../domain/ids.js';
import { listed, nearestFirst } from '../domain/suggest.js';
import { type Analysed, analyse } from './analyse.js';
import { experimentsOfWave } from './fetch-results.js';
import type { Lab } from './lab.js';

export interface AnalysisAsk {
  /** null: the whole campaign. */
  readonly waveId: WaveId | null;
  /** Factors or constants to look at; null: all. */
  readonly factors: readonly string[] | null;
}

/** A tie with less code than the incumbent: worth keeping. */
export interface SimplerTie {
  readonly config: RankedConfig;
  readonly lines: LineBalance;
}

export interface AnalysedResults extends ResearchReport {
  readonly campaign: CampaignFile;
  readonly experimentOf: (config: JudgedConfig) => Experiment | null;
  readonly simplerTies: readonly SimplerTie[];
}

/** Each takes a comparison of two trees. */
const MOST_DIFFS = 8;

/** @throws not_found for a wave that the campaign does not have; invalid_input for a factor that nothing has varied */
export async function analyseResults(lab: Lab, { waveId, factors }: AnalysisAsk): Promise<AnalysedResults> {
  const analysed = await analyse(lab);
  const { campaign, waves, experiments, analysis } = analysed;
  if (waveId !== null) experimentsOfWave(experiments, waveId);
  const wave = waves.find((file) => file.wave.id === waveId) ?? null;
  assertVaried(analysed, factors);
  const { tiers, prices, delta_min: leastGain, limits } = lab.project.settings;
  const data = { analysis, waves, tiers, prices, now: lab.now(), leastGain, target: limits.target };
  const report = researchReport(data, { wave, factors });
  const byId = new Map<string, Experiment>(experiments.map((run) => [run.id, run]));
  const experimentOf = ({ experiments: ids }: JudgedConfig) => byId.get(ids[0] ?? '') ?? null;
  const simplerTies = await simplerOf(lab, report.ranking.configs, analysis, experimentOf);
  return { ...report, campaign, experimentOf, simplerTies };
}

function assertVaried({ waves, experiments }: Analysed, factors: readonly string[] | null): void {
  const known = new Set([
    ...waves.flatMap(({ wave }) => Object.keys(wave.factors)),
    ...experiments.flatMap(({ overrides }) => Object.keys(overrides)),
  ]);
  const unknown = factors?.find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new AutoresearchError(
    'invalid_input',
    `No experiment of this campaign has varied ${unknown}.`,
    known.size === 0 ? 'None has varied anything yet.' : `Varied were: ${listed(nearestFirst(unknown, [...known]))}.`,
  );
}

async function simplerOf(
  lab: Lab,
  configs: readonly RankedConfig[],
  { incumbent }: CampaignAnalysis,
  experimentOf: (config: JudgedConfig) => Experiment | null,
): Promise<SimplerTie[]> {
  const reference = incumbent && experimentOf(incumbent);
  if (!reference) return [];
  const ties = configs.filter((config) => {
    // An override exchanges one line for one.
    const run = experimentOf(config);
    return config.judgement?.verdict === 'tie' && run && (run.edits.length > 0 || run.workdir !== null);
  });
  const found: SimplerTie[] = [];
  for (const config of ties.slice(0, MOST_DIFFS)) {
    const run = experimentOf(config);
    const lines = run && lineBalance(await lab.snapshots.diff(reference.snapshot, run.snapshot));
    if (lines && isSimpler(lines)) found.push({ config, lines });
  }
  return found;
}
