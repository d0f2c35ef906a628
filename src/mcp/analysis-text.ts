import { OUTCOME_WORDS } from '../domain/analysis/held-up.js';
import { doubtOfNoise } from '../domain/analysis/noise-floor.js';
import { targetWords } from '../domain/analysis/target.js';
import { probability } from '../domain/standing.js';
import type { AnalysedResults } from '../lab/analyse-results.js';
import { bySurety, intervalOf, MOST_RANKED } from './analysis-rows.js';
import { rounded, signed, significant } from './words.js';

/** Of each kind; the structured answer has more. */
const MOST = 3;
/** A description may be 200 characters long, and five of them would be half of the answer. */
const LONGEST = 40;

/** What an agent has to know, a line a subject; at most 600 tokens, whatever was run. */
export function analysisText(found: AnalysedResults): string {
  return [
    noiseLine(found),
    rankingLine(found),
    retestLine(found),
    luckLine(found),
    simplicityLine(found),
    effectsLine(found),
    ...found.trends.slice(0, MOST).map(({ factor, advice }) => `${factor}: ${advice}`),
    aliasLine(found),
    hardwareLine(found),
    tiersLine(found),
    repetitionLine(found),
    crashLine(found),
    phaseLine(found),
    found.target ? targetWords(found.target) : (found.stopping?.advice ?? null),
  ]
    .filter((line) => line !== null)
    .join('\n');
}

function noiseLine({ analysis: { noise, fit }, results, experiments }: AnalysedResults): string {
  const machines =
    fit.components > 1 && fit.method !== 'shrunk'
      ? ` ${fit.components} groups of machines share no configuration: run sentinels, or they cannot be compared.`
      : '';
  const counted = `${results} of ${experiments} with a result.`;
  if (noise === null)
    return `${counted} No noise floor: replicate something, or nothing can be called a win.${machines}`;
  const prior = noise.prior === null ? '' : `, with prior SD ${significant(noise.prior)}`;
  const doubt = doubtOfNoise(noise);
  const interval = doubt === null ? '' : `, 95 % ${doubt.map((sd) => significant(sd)).join(' to ')}`;
  return `${counted} Noise floor SD ${significant(noise.sd)} (df=${noise.df}${prior}${interval}).${machines}`;
}

function rankingLine({ ranking, analysis: { incumbent }, campaign, experimentOf }: AnalysedResults): string | null {
  if (ranking.configs.length === 0) return null;
  const rows = ranking.configs.slice(0, MOST_RANKED).map((config) => {
    const { estimate, judgement, experiments } = config;
    const p = judgement?.pBetter == null ? '' : ` ${probability(judgement.pBetter)}`;
    const verdict = judgement?.verdict ? `${p} ${judgement.verdict}` : '';
    const words = (experimentOf(config)?.description ?? '').slice(0, LONGEST);
    return `${experiments[0]} ${rounded(estimate.rawMean)}→${rounded(estimate.adjusted)} n=${estimate.n}${verdict} "${words}"`;
  });
  const { win, tie, loss, retest } = ranking.verdicts;
  const reference = incumbent
    ? `Incumbent ${campaign.incumbent} ${rounded(incumbent.estimate.rawMean)}→${rounded(incumbent.estimate.adjusted)} n=${incumbent.estimate.n}. `
    : '';
  const counts =
    win + tie + loss + retest === 0
      ? `${ranking.configs.length} candidates, none judged`
      : `${ranking.configs.length} candidates: ${win} win, ${tie} tie, ${loss} loss, ${retest} retest`;
  return `${reference}${counts}. Best (raw→adjusted): ${rows.join('; ')}.`;
}

function retestLine({ ranking }: AnalysedResults): string | null {
  const wanted = ranking.configs
    .filter(({ judgement }) => judgement?.verdict === 'retest')
    .sort((a, b) => (b.judgement?.pBetter ?? 0) - (a.judgement?.pBetter ?? 0));
  if (wanted.length === 0) return null;
  const rows = wanted.slice(0, MOST).map(({ experiments, judgement }) => `${experiments[0]} ×${judgement?.replicates}`);
  return `Retest, each beside the incumbent on one machine: ${rows.join(', ')}${more(wanted.length, MOST)}.`;
}

function luckLine({ ranking: { luck, configs, discoveries } }: AnalysedResults): string | null {
  if (luck === null) return null;
  const raw = luck.raw === null ? '' : `, ${significant(luck.raw, 2)} as printed`;
  const real = discoveries === null ? '' : ` ${discoveries} would be real at a false discovery rate of 10 %.`;
  return `Luck alone would make the best of ${configs.length} look ${significant(luck.adjusted, 2)} better${raw}.${real}`;
}

function simplicityLine({ simplerTies }: AnalysedResults): string | null {
  if (simplerTies.length === 0) return null;
  const rows = simplerTies
    .slice(0, MOST)
    .map(({ config, lines }) => `${config.experiments[0]} (−${lines.removed} +${lines.added} lines)`);
  return `Keep for simplicity, a tie with less code: ${rows.join(', ')}.`;
}

function effectsLine({ effects }: AnalysedResults): string | null {
  if (effects === null || effects.effects.length === 0) return null;
  const margin = effects.lenth?.marginOfError ?? null;
  const sorted = bySurety(effects.effects);
  const rows = sorted.slice(0, MOST).map((effect) => {
    const interval = intervalOf(effect, margin);
    const shown = interval === null ? '' : ` [${interval.map((end) => significant(end, 2)).join(', ')}]`;
    const alias = effect.aliases[0] === undefined ? '' : ` = ${effect.aliases[0]}`;
    return `${effect.name} ${signed(effect.estimate)}${shown}${alias}`;
  });
  return `Effects in ${effects.waveId} (low to high, 95 %): ${rows.join('; ')}${more(sorted.length, MOST)}.`;
}

function aliasLine({ aliases }: AnalysedResults): string | null {
  if (aliases.length === 0) return null;
  const rows = aliases.slice(0, 4).map(({ constant, levels }) => `${constant} ${levels.slice(0, 4).join('=')}`);
  return `Same model under other names: ${rows.join(', ')}${more(aliases.length, 4)}.`;
}

function hardwareLine({ hardware }: AnalysedResults): string | null {
  if (hardware === null || hardware.rows.length < 2) return null;
  const rows = hardware.rows.slice(0, MOST).map(({ accelerator, stepMilliseconds, offset, offsetSe, n }) => {
    const step = stepMilliseconds === null ? '' : `, ${significant(stepMilliseconds)} ms a step`;
    const shift =
      offset === null
        ? ', not comparable'
        : offset === 0
          ? ''
          : `, offset ${signed(offset)}${offsetSe === null ? '' : ` ± ${significant(offsetSe, 2)}`}`;
    return `${accelerator} n=${n}${step}${shift}`;
  });
  return `Hardware: ${rows.join('; ')}.`;
}

function tiersLine({ tiers }: AnalysedResults): string | null {
  if (tiers === null) return null;
  const inversions = tiers.reversals.filter(({ isInversion }) => isInversion).length;
  const rho = tiers.spearman === null ? '' : `rank correlation ${significant(tiers.spearman.rho, 2)}, `;
  return `Tiers ${tiers.tiers.join(' and ')} share ${tiers.configs} configurations: ${rho}${inversions} inversions beyond noise.`;
}

function repetitionLine({ repetition }: AnalysedResults): string | null {
  if (repetition === null) return null;
  const { waveId, rows } = repetition;
  const said = rows.slice(0, MOST).map(({ config, before, fresh, outcome }) => {
    const p = fresh.pBetter === null ? '' : `, ${probability(fresh.pBetter)}`;
    return `${config.experiments[0]} ${OUTCOME_WORDS[outcome]} (${signed(before)} before, now ${signed(fresh.difference)}, n=${fresh.n}${p})`;
  });
  return `Run again in ${waveId}, by its own runs alone: ${said.join('; ')}${more(rows.length, MOST)}.`;
}

function crashLine({ crashes }: AnalysedResults): string | null {
  if (crashes.length === 0) return null;
  const rows = crashes.slice(0, 4).map(({ setting, level, ran, crashed, causes }) => {
    return `${setting}=${level.slice(0, 24)} ${crashed} of ${ran + crashed} (${Object.keys(causes).join(', ')})`;
  });
  return `Crashes: ${rows.join('; ')}${more(crashes.length, 4)}.`;
}

function phaseLine({ phases }: AnalysedResults): string | null {
  const rows = phases.flatMap(({ to, gain, gainPerExperiment, gainPerUsd }) => {
    if (gain === null || gainPerExperiment === null) return [];
    const perUsd = gainPerUsd === null ? '' : `, ${significant(gainPerUsd, 2)} a dollar`;
    return [`to ${to} ${rounded(gain)} (${significant(gainPerExperiment, 2)} a run${perUsd})`];
  });
  return rows.length === 0 ? null : `Gain by phase: ${rows.join('; ')}.`;
}

const more = (count: number, shown: number): string => (count > shown ? ` and ${count - shown} more` : '');
