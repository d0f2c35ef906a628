import { tQuantile } from '../../domain/analysis/distributions.js';
import type { Noise } from '../../domain/analysis/least-squares.js';
import type { MainEffect } from '../../domain/analysis/main-effects.js';
import { COLOURS, dot, frame, line, path, roundTicks, spanOf, svg } from './svg.js';

interface LevelPoint {
  readonly factor: string;
  readonly level: string;
  readonly mean: number;
  readonly n: number;
  /** Half of the 95 % interval of the mean; null without a noise floor. */
  readonly half: number | null;
}

/** The mean at each level of each factor with its 95 % interval, by the noise of one value. Empty axes without a design. */
export function effectsChart(effects: readonly MainEffect[], metric: string, noise: Noise | null): string {
  const points = effects.flatMap(({ factor, levels }) =>
    levels.map(({ level, mean, n }): LevelPoint => {
      const half = noise && (tQuantile(0.975, noise.df) * noise.sd) / Math.sqrt(n);
      return { factor, level, mean, n, half };
    }),
  );
  const range = spanOf(points.flatMap(({ mean, half }) => [mean - (half ?? 0), mean + (half ?? 0)]));
  const { x, y, furniture } = frame(
    `${metric} by level${noise === null ? ', no noise floor' : ', 95 % intervals'}`,
    {
      label: 'factor and level',
      range: [-0.5, Math.max(0.5, points.length - 0.5)],
      ticks: points.map(({ factor, level }, at) => ({ at, text: `${factor}=${level}`.slice(0, 24) })),
    },
    { label: `mean ${metric}`, range, ticks: roundTicks(range) },
  );
  const factors = [...new Set(points.map(({ factor }) => factor))];
  return svg(
    furniture,
    ...factors.map((factor) =>
      path(
        'factor',
        points.flatMap((point, at) => (point.factor === factor ? [[x(at), y(point.mean)] as const] : [])),
        COLOURS.run,
      ),
    ),
    ...points.flatMap(({ mean, half }, at) =>
      half === null ? [] : [line('interval', [x(at), y(mean - half)], [x(at), y(mean + half)], COLOURS.best)],
    ),
    ...points.map(({ factor, level, mean, n }, at) =>
      dot('level', [x(at), y(mean)], COLOURS.best, `${factor}=${level}: ${mean.toFixed(6)} (n=${n})`),
    ),
  );
}
