import { PUBLISHED, plantedCampaign, truthfulness, type World } from '../test/support/planted-truth.js';
import type { Figure } from './figure.js';

const CAMPAIGNS = 200;
/** Far from those that the thresholds were chosen on. */
const FIRST_SEED = 900_000;
/** Fewest that keep all limits; the others show what fewer and more of them would cost and bring. */
const SENTINELS = 2;
const OTHERS = [1, 3, 4, 6];

const measure = (sentinels: number, world: World) =>
  truthfulness(Array.from({ length: CAMPAIGNS }, (_, seed) => plantedCampaign(FIRST_SEED + seed, sentinels, world)));

/** Simulated campaigns with a known truth: how often the verdicts lie, and what the sentinels cost. Fixed seeds: the same in every run. */
export async function plantedTruthFigures(): Promise<Figure[]> {
  const chosen = measure(SENTINELS, PUBLISHED);
  const alike = measure(SENTINELS, { ...PUBLISHED, hardwareOffset: 0, hostSd: 0 });
  const trade = [
    ...OTHERS.map((sentinels) => ({ sentinels, found: measure(sentinels, PUBLISHED) })),
    { sentinels: SENTINELS, found: chosen },
  ];
  return [
    share('null candidates ever called a win', chosen.falseWinsOfNulls, { most: 0.05 }),
    share('wins that are false', chosen.falseShareOfWins, { most: 0.1 }),
    share('null candidates whose first value is lower than the incumbent’s', chosen.looksBetterOfNulls),
    share('lower first values that are false', chosen.falseShareOfLooksBetter),
    share('gains of 5e-4 found by 2 runs beside 2 of the incumbent', chosen.power, { least: 0.8 }),
    share('null candidates ever called a win, all hosts alike', alike.falseWinsOfNulls, { most: 0.05 }),
    share('wins that are false, all hosts alike', alike.falseShareOfWins, { most: 0.1 }),
    ...trade
      .sort((a, b) => a.sentinels - b.sentinels)
      .flatMap(({ sentinels, found }) => [
        share(`${sentinels} sentinels a wave: wins that are false`, found.falseShareOfWins),
        share(`${sentinels} sentinels a wave: gains of 5e-4 found by 2 runs beside 2`, found.power),
        perCampaign(`${sentinels} sentinels a wave: true gains found`, found.gainsFound),
        perCampaign(
          `${sentinels} sentinels a wave: their runs, of 160 (and ${Math.round(found.retestRuns)} retests, ${Math.round(found.candidates)} candidates)`,
          found.sentinelRuns,
        ),
      ]),
  ];
}

const share = (name: string, value: number, limit: Figure['limit'] = {}): Figure => ({ name, value, unit: '', limit });
const perCampaign = (name: string, value: number): Figure => ({ name, value, unit: 'a campaign' });
