import { AutoresearchError } from '../errors.js';
import type { Literal } from '../experiment.js';
import { type Factors, levelsOf } from './factor.js';
import { type Ask, assertFewEnough, assertOwnSize, type DesignKind, type Planned, UNCONFOUNDED } from './planned.js';

/**
 * Every combination of the levels, the last factor changing fastest.
 * @param factors levels by factor; {A: [a, b], B: [c, d]} gives 4 points
 */
export function fullFactorial<Level extends Literal>(
  factors: Readonly<Record<string, readonly Level[]>>,
): Record<string, Level>[] {
  return Object.entries(factors).reduce<Record<string, Level>[]>(
    (points, [factor, levels]) => points.flatMap((point) => levels.map((level) => ({ ...point, [factor]: level }))),
    [{}],
  );
}

export const fullFactorialDesign: DesignKind<'full_factorial'> = {
  name: 'full_factorial',
  plan(factors: Factors, ask: Ask): Planned {
    const levels = Object.fromEntries(Object.entries(factors).map(([name, factor]) => [name, levelsOf(name, factor)]));
    const short = Object.keys(levels).filter((name) => (levels[name] ?? []).length < 2);
    if (short.length > 0) {
      throw new AutoresearchError(
        'invalid_input',
        `Factors need two levels or more: ${short.join(', ')}.`,
        'E.g. {"MATRIX_LR": [0.03, 0.05]}.',
      );
    }
    const count = Object.values(levels).reduce((product, { length }) => product * length, 1);
    assertFewEnough(count);
    assertOwnSize('full_factorial', count, ask);
    return {
      points: fullFactorial(levels),
      levels,
      ...UNCONFOUNDED,
      separates: 'Every combination runs: all main effects and interactions can be told apart.',
    };
  },
};
