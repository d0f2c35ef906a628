import { tQuantile } from '../../domain/analysis/distributions.js';
import type { Noise } from '../../domain/analysis/least-squares.js';
import type { MainEffect } from '../../domain/analysis/main-effects.js';
import { below, COLOURS, dot, frame, legend, line, path, roundTicks, spanOf, svg, textWidth } from './svg.js';

interface LevelPoint {
  readonly factor: string;
  readonly level: string;
  readonly mean: number;
  readonly n: number;
  /** Half of the 95 % interval of the mean; null without a noise floor. */
  readonly half: number | null;
  /** Along the axis, in levels. */
  readonly at: number;
}

/** Between the levels of two factors, in levels. */
const GAP = 0.8;

/**
 * The mean at each level of each factor with its 95 % interval, by the noise of one value; below it the level, and below all levels of a factor
 * its name. Empty axes without a design.
 */
export function effectsChart(effects: readonly MainEffect[], metric: string, noise: Noise | null): string {
  let place = -1 - GAP;
  const points = effects.flatMap(({ factor, levels }) => {
    place += GAP;
    return levels.map(({ level, mean, n }): LevelPoint => {
      const half = noise && (tQuantile(0.975, noise.df) * noise.sd) / Math.sqrt(n);
      place += 1;
      return { factor, level, mean, n, half, at: place };
    });
  });
  const range = spanOf(points.flatMap(({ mean, half }) => [mean - (half ?? 0), mean + (half ?? 0)]));
  const { x, y, furniture } = frame(
    `${metric} by level`,
    { label: '', range: [-0.7, Math.max(0.5, place + 0.7)], ticks: [] },
    { label: `mean ${metric}`, range, ticks: roundTicks(range) },
  );
  const room = x(1) - x(0);
  const groups = effects.map(({ factor }) => points.filter((point) => point.factor === factor));
  return svg(
    furniture,
    legend([
      [COLOURS.best, noise === null ? 'mean; no noise floor' : 'mean, 95 % interval by the noise floor'],
      [COLOURS.run, 'from level to level'],
    ]),
    ...points.map(({ level, at }) => below(x(at), 0, level, room)),
    ...groups.map((group, index) => {
      const [first, last] = [group[0]?.at ?? 0, group.at(-1)?.at ?? 0];
      // Names of neighbours stand in two rows where they would run into each other.
      const isTight = groups.some((one) => textWidth(one[0]?.factor ?? '') > room * (one.length + GAP));
      const space = room * (group.length + GAP) * (isTight ? 2 : 1);
      return below(x((first + last) / 2), isTight ? 1 + (index % 2) : 1.4, group[0]?.factor ?? '', space);
    }),
    ...groups.map((group) =>
      path(
        'factor',
        group.map(({ at, mean }) => [x(at), y(mean)] as const),
        COLOURS.run,
      ),
    ),
    ...points.flatMap(({ mean, half, at }) =>
      half === null ? [] : [line('interval', [x(at), y(mean - half)], [x(at), y(mean + half)], COLOURS.best)],
    ),
    ...points.map(({ factor, level, mean, n, at }) =>
      dot('level', [x(at), y(mean)], COLOURS.best, `${factor}=${level}: ${mean.toFixed(6)} (n=${n})`),
    ),
  );
}
