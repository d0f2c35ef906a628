import { adjustedValues, type BlockedFit } from '../../src/domain/analysis/adjusted-values.js';
import { noiseFloor } from '../../src/domain/analysis/noise-floor.js';
import type { BlockedObservation } from '../../src/domain/analysis/observations.js';
import { type Judgement, judge } from '../../src/domain/analysis/verdict.js';
import { type Dice, dice } from './dice.js';

export interface World {
  readonly hardwareOffset: number;
  readonly hostSd: number;
  readonly runSd: number;
}

/** The noise of the published fleet, in val_bpb. */
export const PUBLISHED: World = { hardwareOffset: -0.005, hostSd: 7e-4, runSd: 1.5e-4 };

/** 13 slow and 3 fast hosts, one run each a wave. */
const [HOSTS, FAST_HOSTS, WAVES] = [16, 3, 10];
/** One candidate in five is truly better, by something between these. */
const [SHARE_OF_GAINS, LEAST_GAIN, MOST_GAIN] = [0.2, 4e-4, 1e-3];
/** A gain that has to be found, planted when half of the campaign is over; the campaign itself never sees it. */
const [PROBE_GAIN, PROBE_WAVE, PROBES] = [5e-4, 5, 20];
/** Of a wave, at most this share runs again what ran before. */
const RETEST_SHARE = 0.5;
const [INCUMBENT, PROBE] = ['incumbent', 'probe'];

export interface Candidate {
  readonly config: string;
  /** What it truly lowers the metric by; 0 for most. */
  readonly gain: number;
  /** Whether any look, after any wave, called it a win. */
  readonly wasWin: boolean;
  /** Whether its first value, as printed, is below the incumbent's first. */
  readonly looksBetter: boolean;
  readonly verdict: Judgement['verdict'];
}

export interface PlantedCampaign {
  readonly candidates: readonly Candidate[];
  readonly sentinelRuns: number;
  readonly retestRuns: number;
  /** Of 20 probes with a gain of 5e-4 after wave 5, those that are a win by two runs beside two of the incumbent on one host. */
  readonly probesWon: number;
}

interface Entrant {
  readonly config: string;
  readonly gain: number;
  readonly looksBetter: boolean;
  wasWin: boolean;
  judgement: Judgement | null;
}

/**
 * A campaign whose truth is known. Every wave each host runs once: sentinels, then what the last verdicts would have retested (the likeliest
 * first, on hosts that ran the incumbent), then new candidates. Verdicts on all candidates are taken after every wave, so that what
 * comes of looking again and again is in the figures. The incumbent stays the baseline: no win replaces it.
 */
export function plantedCampaign(seed: number, sentinels: number, world: World = PUBLISHED): PlantedCampaign {
  // Probes have dice of their own: how many there are changes nothing in the campaign.
  const [random, probing] = [dice(seed), dice(~seed)];
  const offsets = Array.from(
    { length: HOSTS },
    (_, host) => (host < FAST_HOSTS ? world.hardwareOffset : 0) + world.hostSd * random.normal(),
  );
  const runs: BlockedObservation[] = [];
  const entrants: Entrant[] = [];
  const count = { sentinelRuns: 0, retestRuns: 0, probesWon: 0 };
  let fit: BlockedFit | null = null;

  const outcome = (config: string, gain: number, host: number, { normal } = random): BlockedObservation =>
    observation(config, host, 0.98 - gain + (offsets[host] ?? 0) + world.runSd * normal());
  const run = (config: string, gain: number, host: number): number => {
    const made = outcome(config, gain, host);
    runs.push(made);
    return made.value;
  };

  for (let wave = 0; wave < WAVES; wave++) {
    const free = shuffled(HOSTS, random);
    for (let s = 0; s < sentinels; s++) {
      run(INCUMBENT, 0, take(free, sentinelRank(runs, fit?.noise === null)));
      count.sentinelRuns++;
    }
    const again = entrants
      .filter(({ judgement }) => judgement?.verdict === 'retest')
      .sort((a, b) => (b.judgement?.pBetter ?? 0) - (a.judgement?.pBetter ?? 0))
      .slice(0, Math.floor((HOSTS - sentinels) * RETEST_SHARE));
    for (const { config, gain } of again) {
      run(config, gain, take(free, retestRank(runs, config)));
      count.retestRuns++;
    }
    const reference = runs.find(({ config }) => config === INCUMBENT)?.value ?? Number.NaN;
    for (const host of free) {
      const gain = random.uniform() < SHARE_OF_GAINS ? LEAST_GAIN + (MOST_GAIN - LEAST_GAIN) * random.uniform() : 0;
      const config = `candidate ${entrants.length}`;
      const looksBetter = run(config, gain, host) < reference;
      entrants.push({ config, gain, looksBetter, wasWin: false, judgement: null });
    }
    fit = fitOf(runs);
    for (const entrant of entrants) {
      entrant.judgement = verdictOn(fit, entrant.config);
      entrant.wasWin ||= entrant.judgement?.verdict === 'win';
    }
    if (wave + 1 === PROBE_WAVE) {
      for (let trial = 0; trial < PROBES; trial++) {
        const host = Math.floor(probing.uniform() * HOSTS);
        const beside = [PROBE, PROBE, INCUMBENT, INCUMBENT].map((config) =>
          outcome(config, config === PROBE ? PROBE_GAIN : 0, host, probing),
        );
        if (verdictOn(fitOf([...runs, ...beside]), PROBE)?.verdict === 'win') count.probesWon++;
      }
    }
  }
  return {
    candidates: entrants.map(({ judgement, ...entrant }) => ({ ...entrant, verdict: judgement?.verdict ?? null })),
    ...count,
  };
}

const observation = (config: string, host: number, value: number): BlockedObservation => ({
  experimentId: config,
  config,
  block: `host ${host}`,
  accelerators: null,
  numSteps: null,
  levels: {},
  value,
});

const fitOf = (runs: readonly BlockedObservation[]): BlockedFit => adjustedValues(runs, noiseFloor(runs, null));

const verdictOn = (fit: BlockedFit, config: string): Judgement | null => {
  const [candidate, incumbent] = [config, INCUMBENT].map((name) => fit.configs.find((row) => row.config === name));
  return candidate && incumbent ? judge(fit, candidate, incumbent, 'minimize') : null;
};

const runsOn = (runs: readonly BlockedObservation[], wanted: string, host: number): number =>
  runs.filter(({ config, block }) => config === wanted && block === `host ${host}`).length;

/** Where a sentinel tells most: the host with fewest of them; before there is a noise floor, one that has some already. */
const sentinelRank = (runs: readonly BlockedObservation[], needsReplicates: boolean) => (host: number) => {
  const ran = runsOn(runs, INCUMBENT, host);
  return needsReplicates && ran === 0 ? Number.POSITIVE_INFINITY : ran;
};

/** A candidate goes back to its own host where that ran the incumbent too, which shows the noise; else to where the incumbent ran most. */
const retestRank = (runs: readonly BlockedObservation[], config: string) => (host: number) => {
  const beside = runsOn(runs, INCUMBENT, host);
  return beside > 0 && runsOn(runs, config, host) > 0 ? Number.NEGATIVE_INFINITY : -beside;
};

/** Removes and returns the host with the lowest rank, the first of equals. */
function take(free: number[], rank: (host: number) => number): number {
  const ranks = free.map(rank);
  const [host = 0] = free.splice(ranks.indexOf(Math.min(...ranks)), 1);
  return host;
}

function shuffled(count: number, { uniform }: Dice): number[] {
  return Array.from({ length: count }, (_, host) => ({ host, key: uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ host }) => host);
}

export interface Truthfulness {
  /** Share of the candidates without effect that any look called a win. */
  readonly falseWinsOfNulls: number;
  /** Share of the wins that have no effect. */
  readonly falseShareOfWins: number;
  /** The same two for "its first value is below the incumbent's first". */
  readonly looksBetterOfNulls: number;
  readonly falseShareOfLooksBetter: number;
  readonly power: number;
  /** True gains found, runs of sentinels and of retests: mean a campaign. */
  readonly gainsFound: number;
  readonly sentinelRuns: number;
  readonly retestRuns: number;
  readonly candidates: number;
}

export function truthfulness(campaigns: readonly PlantedCampaign[]): Truthfulness {
  const all = campaigns.flatMap(({ candidates }) => candidates);
  const nulls = all.filter(({ gain }) => gain === 0);
  const count = (some: readonly Candidate[], what: 'wasWin' | 'looksBetter') => some.filter((one) => one[what]).length;
  const [wins, falseWins] = [count(all, 'wasWin'), count(nulls, 'wasWin')];
  const [looks, falseLooks] = [count(all, 'looksBetter'), count(nulls, 'looksBetter')];
  const perCampaign = (total: number) => total / campaigns.length;
  return {
    falseWinsOfNulls: falseWins / nulls.length,
    falseShareOfWins: falseWins / wins,
    looksBetterOfNulls: falseLooks / nulls.length,
    falseShareOfLooksBetter: falseLooks / looks,
    power: perCampaign(campaigns.reduce((sum, { probesWon }) => sum + probesWon, 0)) / PROBES,
    gainsFound: perCampaign(wins - falseWins),
    sentinelRuns: perCampaign(campaigns.reduce((sum, { sentinelRuns }) => sum + sentinelRuns, 0)),
    retestRuns: perCampaign(campaigns.reduce((sum, { retestRuns }) => sum + retestRuns, 0)),
    candidates: perCampaign(all.length),
  };
}
