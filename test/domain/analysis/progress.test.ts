import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { phasesOf } from '../../../src/domain/analysis/progress.js';
import { stoppingAdvice } from '../../../src/domain/analysis/stopping.js';

/** The published run's phases, each as one wave; $0.30 an experiment. */
const PUBLISHED = [
  { name: 'sweeps', experiments: 200, best: 0.981, costUsd: 60 },
  { name: 'architecture', experiments: 220, best: 0.977, costUsd: 66 },
  { name: 'wider model', experiments: 140, best: 0.975, costUsd: 42 },
  { name: 'optimizer', experiments: 140, best: 0.974, costUsd: 42 },
  { name: 'diminishing', experiments: 210, best: 0.9735, costUsd: 63 },
];
const start = { goal: 'minimize', baseline: 1.003 } as const;
const wave = (best: number | null, costUsd: number | null = 3) => ({ name: 'w', experiments: 10, best, costUsd });

describe('progress', () => {
  it('has the published gains per experiment', () => {
    const rows = phasesOf(PUBLISHED, 1, start);
    // 1.1e-4, 1.8e-5, 1.4e-5, 7.1e-6 are the publication's figures.
    expect(rows.map(({ gainPerExperiment }) => Number((gainPerExperiment ?? 0).toPrecision(2)))).toEqual([
      1.1e-4, 1.8e-5, 1.4e-5, 7.1e-6, 2.4e-6,
    ]);
    expect(rows[0]?.gainPerUsd).toBeCloseTo(0.022 / 60, 12);
  });

  it('takes waves together, the last phase with what is left, and its gains add up', () => {
    const rows = phasesOf(PUBLISHED, 2, start);
    expect(rows.map(({ from, to, experiments }) => [from, to, experiments])).toEqual([
      ['sweeps', 'architecture', 420],
      ['wider model', 'optimizer', 280],
      ['diminishing', 'diminishing', 210],
    ]);
    expect(rows.reduce((sum, { gain }) => sum + (gain ?? 0), 0)).toBeCloseTo(1.003 - 0.9735, 12);
  });

  it('never loses: a wave that is worse, or crashed whole, gains nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.double({ min: 0, max: 2, noNaN: true }))),
        fc.constantFrom('minimize', 'maximize'),
        (bests, goal) => {
          const rows = phasesOf(
            bests.map((best) => wave(best)),
            1,
            { goal, baseline: 1 },
          );
          const all = [1, ...bests.filter((best) => best !== null)];
          expect(rows.every(({ gain }) => gain !== null && gain >= 0)).toBe(true);
          if (rows.length > 0)
            expect(rows.at(-1)?.best).toBe(goal === 'minimize' ? Math.min(...all) : Math.max(...all));
        },
      ),
    );
  });

  it('is null, not zero, where there was nothing to gain on and where no price is known', () => {
    expect(phasesOf([wave(null, null), wave(0.9, null)], 1, { goal: 'minimize', baseline: null })).toMatchObject([
      { best: null, gain: null, gainPerExperiment: null, costUsd: null, gainPerUsd: null },
      { best: 0.9, gain: null },
    ]);
    expect(phasesOf([], 3, start)).toEqual([]);
  });
});

describe('advice on stopping', () => {
  const ask = { ...start, leastGain: 5e-4, noiseSd: 7e-4 };
  const gaining = (...gains: number[]) => {
    let best = 1.003;
    const waves = gains.map((gain) => {
      best -= gain;
      return wave(best, 3);
    });
    return stoppingAdvice(waves, ask);
  };

  it('says so after three waves below, not before, and counts anew after one above', () => {
    expect(gaining(0.01, 0.0001, 0.0001)).toMatchObject({ wavesBelow: 2, shouldStop: false });
    expect(gaining(0.01, 0.0001, 0.0001, 0)).toMatchObject({ wavesBelow: 3, shouldStop: true });
    expect(gaining(0.01, 0, 0, 0.001, 0)).toMatchObject({ wavesBelow: 1, shouldStop: false });
  });

  it('holds the expected gain against the larger of the least gain and the noise', () => {
    expect(gaining(0.01, 0.002, 0.001, 0.0006)).toMatchObject({ threshold: 7e-4, wavesBelow: 1 });
    expect(gaining(0.01, 0.002, 0.001, 0.0006).expectedGain).toBeCloseTo(0.0012, 12);
    expect(stoppingAdvice([wave(1.0024)], { ...ask, noiseSd: null })).toMatchObject({ threshold: 5e-4, wavesBelow: 0 });
  });

  it('names the price of 0.001, and the sums', () => {
    const advice = gaining(0.01, 0.0003, 0.0002, 0.0001);
    // $9 for 0.0006.
    expect(advice.usdPerThousandth).toBeCloseTo(15, 6);
    expect(advice.advice).toBe(
      'Stop, or search elsewhere: 3 waves in a row gained too little; the next wave is expected to gain 0.0002, against 0.0007 that would matter; 0.001 cost $15.00 of late.',
    );
  });

  it('has no price where nothing was gained or nothing is known of cost, and nothing to say before a gain', () => {
    expect(gaining(0, 0, 0)).toMatchObject({ usdPerThousandth: null, shouldStop: true, expectedGain: 0 });
    expect(stoppingAdvice([wave(0.9, null)], ask).usdPerThousandth).toBeNull();
    expect(stoppingAdvice([], ask)).toMatchObject({ expectedGain: null, wavesBelow: 0, shouldStop: false });
  });
});
