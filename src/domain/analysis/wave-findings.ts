import { compareMetric, type Metric } from '../campaign.js';
import { type Experiment, isSettled, metricOf } from '../experiment.js';
import { BY_SERVER, type FindingDraft } from '../finding.js';
import { ExperimentId } from '../ids.js';
import { probability } from '../standing.js';
import { experimentsOf, type WaveFile } from '../wave.js';
import type { CampaignAnalysis } from './campaign-analysis.js';
import { tQuantile } from './distributions.js';
import { short, signed } from './effect-findings.js';
import { OUTCOME_WORDS, type Repetition } from './held-up.js';
import { levelLabel } from './main-effects.js';
import { doubtOfNoise } from './noise-floor.js';
import type { Ranking } from './ranking.js';

/** What was asked in a wave that has ended, how, and what its best run printed. */
export function waveDrafts(waves: readonly WaveFile[], metric: Metric): FindingDraft[] {
  return waves.flatMap((file): FindingDraft[] => {
    const { id, description } = file.wave;
    const runs = experimentsOf(file).filter(({ imported }) => !imported);
    if (runs.length === 0 || !runs.every(({ state }) => isSettled(state))) return [];
    const results = runs.flatMap((run) => {
      const value = metricOf(run, metric.name);
      return value === null ? [] : [{ run, value }];
    });
    // Of the incumbent's replicates the best is luck.
    const candidates = results.filter(({ run }) => !run.isSentinel);
    const [best] = candidates.sort((a, b) => compareMetric(metric.goal, a.value, b.value));
    const asked = description === '' ? '' : `“${description}” `;
    const found = best ? ` The best as printed: ${best.run.id} ${best.value.toFixed(6)}, ${best.run.description}.` : '';
    const text = `${asked}${designWords(file)}; ${counted(runs.length)}, ${results.length} with a result.${found}`;
    const experimentIds = runs.map((run) => run.id);
    return [{ ...BY_SERVER, kind: 'wave', subject: `wave:${id}`, claim: 'ran', text, n: runs.length, experimentIds }];
  });
}

function designWords({ wave: { id, kind, factors } }: WaveFile): string {
  if (kind === 'list') return `${id}, a list`;
  const words = Object.entries(factors).map(([name, levels]) => `${name} (${levels.map(levelLabel).join(', ')})`);
  return `${id}, a ${kind.replaceAll('_', ' ')} over ${words.join(', ')}`;
}

/** How far equal runs lie apart, and what that means for who looks at two values. */
export function noiseDrafts({ noise, fit, metric, observations }: CampaignAnalysis): FindingDraft[] {
  if (noise === null || noise.df === 0) return [];
  const apart = tQuantile(0.975, noise.effectiveDf) * Math.SQRT2 * noise.sd;
  const prior = noise.prior === null ? '' : `, with a prior of ${short(noise.prior)}`;
  const doubt = doubtOfNoise(noise);
  const interval = doubt === null ? '' : `, 95 % ${doubt.map((sd) => short(sd)).join(' to ')}`;
  const between = fit.blockVariance === null ? null : Math.sqrt(fit.blockVariance.variance);
  const machines =
    between === null ? '' : ` Machines differ by ${between === 0 ? 'no more than that' : `SD ${short(between)}`}.`;
  const text = `Equal runs on one machine scatter by SD ${short(noise.sd)} in ${metric.name} (${noise.df} df${prior}${interval}): two single runs less than ${short(apart)} apart cannot be told from each other.${machines}`;
  const repeated = new Set(fit.configs.flatMap(({ config, n }) => (n > 1 ? [config] : [])));
  const experimentIds = observations.flatMap(({ config, experimentId }) =>
    repeated.has(config) ? [ExperimentId.parse(experimentId)] : [],
  );
  return [
    { ...BY_SERVER, kind: 'noise', subject: 'noise', claim: 'measured', text, n: experimentIds.length, experimentIds },
  ];
}

/** More than these nobody reads; those that stand are renewed. */
const MOST_RESULTS = 10;
const NO_WIN = 'no win';

/**
 * What beats the incumbent beyond doubt, and what does not where it was once noted as a win. The configuration that it was
 * compared with is part of the subject: after a keep the next one is another question.
 */
export function resultDrafts(
  { ranking, analysis }: { readonly ranking: Ranking; readonly analysis: CampaignAnalysis },
  experiments: readonly Experiment[],
  standing: ReadonlySet<string>,
): FindingDraft[] {
  const { incumbent, metric } = analysis;
  const against = incumbent?.experiments[0];
  if (against === undefined) return [];
  const drafts = ranking.configs.flatMap((config): FindingDraft[] => {
    const { judgement, experiments: ids } = config;
    const [id] = ids;
    if (id === undefined || judgement === null || judgement.verdict === null || judgement.pBetter === null) return [];
    const isWin = judgement.verdict === 'win';
    const subject = `result:${id} against ${against}`;
    if (!isWin && !standing.has(subject)) return [];
    const figures = `${signed(judgement.difference)} ${metric.name} with the machines taken out (${probability(judgement.pBetter)}, df ${Math.round(judgement.df ?? 0)})`;
    const text = isWin
      ? `${id} (${nameOf(id, experiments)}) beats ${against}: ${figures}.`
      : `${id} (${nameOf(id, experiments)}) is not ahead of ${against} beyond doubt: ${figures}, verdict ${judgement.verdict}.`;
    const claim = isWin ? 'win' : NO_WIN;
    const experimentIds = ids.map((one) => ExperimentId.parse(one));
    return [{ ...BY_SERVER, kind: 'result', subject, claim, text, n: ids.length, experimentIds }];
  });
  const wins = drafts.filter(({ claim }) => claim === 'win').slice(0, MOST_RESULTS);
  return [...wins, ...drafts.filter(({ claim }) => claim === NO_WIN)];
}

/** What gains came to that were run again. */
export function repetitionDrafts(
  repetition: Repetition | null,
  { name }: Metric,
  experiments: readonly Experiment[],
): FindingDraft[] {
  if (repetition === null) return [];
  const { waveId, rows } = repetition;
  return rows.flatMap(({ config, before, fresh, outcome }): FindingDraft[] => {
    const [id] = config.experiments;
    if (outcome === 'open' || id === undefined) return [];
    const p = fresh.pBetter === null ? '' : ` (${probability(fresh.pBetter)})`;
    const text = `Run again in ${waveId}, ${id} (${nameOf(id, experiments)}) ${OUTCOME_WORDS[outcome]}: ${signed(fresh.difference)} ${name} by ${counted(fresh.n, 'fresh run')} alone${p}, ${signed(before)} before.`;
    const own = experiments.filter((run) => run.waveId === waveId && config.experiments.includes(run.id));
    const experimentIds = own.map((run) => run.id);
    return [
      {
        ...BY_SERVER,
        kind: 'result',
        subject: `repeat:${waveId}:${id}`,
        claim: outcome,
        text,
        n: own.length,
        experimentIds,
      },
    ];
  });
}

const nameOf = (id: string, experiments: readonly Experiment[]): string =>
  experiments.find((run) => run.id === id)?.description ?? 'unknown';

const counted = (count: number, what = 'run'): string => `${count} ${what}${count === 1 ? '' : 's'}`;
