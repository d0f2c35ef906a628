import type { Literal } from '../experiment.js';
import type { Point } from './planned.js';

/** One number a point for what a factor does there; mean 0 and mean square 1. */
export interface Column {
  readonly factor: string;
  readonly values: readonly number[];
}

/** More levels than this are a scale: their order counts, not each of them. */
const MOST_LABELS = 4;

/**
 * What of each factor must not go along with a cluster: of two levels one column; of several labels one a level; of many
 * numbers their order. A factor that never changes has none.
 */
export function columnsOf(points: readonly Point[]): Column[] {
  const factors = [...new Set(points.flatMap((point) => Object.keys(point)))];
  return factors.flatMap((factor) => {
    const levels = points.map((point) => point[factor]);
    const numbers = levels.filter((level) => typeof level === 'number');
    const distinct = [...new Set(levels.map(key))];
    const raw =
      distinct.length > MOST_LABELS && numbers.length === levels.length
        ? [levels.map((level) => numbers.filter((number) => number < Number(level)).length)]
        : distinct
            .slice(distinct.length === 2 ? 1 : 0)
            .map((label) => levels.map((level) => Number(key(level) === label)));
    return raw.flatMap((values) => {
      const standard = standardised(values);
      return standard ? [{ factor, values: standard }] : [];
    });
  });
}

const key = (level: Literal | undefined): string => JSON.stringify(level) ?? 'not set';

function standardised(values: readonly number[]): number[] | null {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return spread === 0 ? null : values.map((value) => (value - mean) / spread);
}
