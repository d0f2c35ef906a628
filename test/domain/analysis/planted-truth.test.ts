import { describe, expect, it } from 'vitest';
import { plantedCampaign, truthfulness } from '../../support/planted-truth.js';

/** False wins come in clusters: with fewer campaigns one unlucky incumbent would decide. `npm run bench -- truth` has 200. */
const CAMPAIGNS = 60;
const SENTINELS = 2;

const found = truthfulness(Array.from({ length: CAMPAIGNS }, (_, n) => plantedCampaign(900_000 + n, SENTINELS)));

describe('verdicts on simulated campaigns with a planted truth', () => {
  it('call at most one in twenty candidates without effect a win, however often they look', () => {
    expect(found.candidates * CAMPAIGNS).toBeGreaterThan(2000);
    expect(found.falseWinsOfNulls).toBeLessThanOrEqual(0.05);
  });

  it('are wrong in at most one win of ten, where "the value is lower" is wrong in most', () => {
    expect(found.falseShareOfWins).toBeLessThanOrEqual(0.1);
    expect(found.falseShareOfLooksBetter).toBeGreaterThan(0.5);
  });

  it('find four in five gains of 5e-4 by two runs beside two of the incumbent', () => {
    expect(found.power).toBeGreaterThanOrEqual(0.8);
  });

  it('find most of the gains that a campaign holds, so that they are not truthful by silence', () => {
    expect(found.gainsFound).toBeGreaterThan(0.75 * 0.2 * found.candidates);
  });
});
