import type { Literal } from '../experiment.js';

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
