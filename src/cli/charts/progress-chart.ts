import type { CampaignAnalysis } from '../../domain/analysis/campaign-analysis.js';
import { compareMetric } from '../../domain/campaign.js';
import { COLOURS, dot, frame, legend, line, roundTicks, spanOf, steps, svg, WIDTH } from './svg.js';

/** Two SD of one run to either side: what looks like a gain within it may be none. */
const BAND_SDS = 2;

/** Every value in order, its running best, and around the incumbent what noise alone does. */
export function progressChart({ observations, metric, noise, incumbent }: CampaignAnalysis): string {
  const values = observations.map(({ value }) => value);
  const centre = incumbent?.estimate.rawMean ?? null;
  const ends = centre === null || noise === null ? [] : [-1, 1].map((side) => centre + side * BAND_SDS * noise.sd);
  const [xs, ys] = [[0, Math.max(2, values.length) + 1] as const, spanOf([...values, ...ends])];
  const { x, y, furniture } = frame(
    `${metric.name} by experiment (${metric.goal})`,
    { label: 'experiment with a result, in order', range: xs, ticks: roundTicks(xs) },
    { label: metric.name, range: ys, ticks: roundTicks(ys) },
  );
  const [top, bottom] = ends.map(y).sort((a, b) => a - b);
  let best: number | null = null;
  const running = values.map((value, at) => {
    if (best === null || compareMetric(metric.goal, value, best) < 0) best = value;
    return [x(at + 1), y(best)] as const;
  });
  return svg(
    ...(top === undefined || bottom === undefined
      ? []
      : [
          `<rect class="noise" x="${x(xs[0])}" y="${top}" width="${WIDTH - 20 - x(xs[0])}" height="${bottom - top}" fill="${COLOURS.band}"><title>incumbent ± ${BAND_SDS} SD of one run</title></rect>`,
        ]),
    furniture,
    legend([
      [COLOURS.run, 'a run'],
      ...(incumbent === null ? [] : [[COLOURS.control, 'a run of the incumbent'] as const]),
      [COLOURS.best, 'best so far'],
      ...(ends.length === 0 ? [] : [[COLOURS.band, `incumbent’s mean ± ${BAND_SDS} SD of one run`] as const]),
    ]),
    ...(centre === null ? [] : [line('incumbent', [x(xs[0]), y(centre)], [x(xs[1]), y(centre)], COLOURS.best)]),
    steps('best', running, COLOURS.best),
    ...observations.map(({ experimentId, value, block, config }, at) => {
      const colour = config === incumbent?.estimate.config ? COLOURS.control : COLOURS.run;
      return dot('run', [x(at + 1), y(value)], colour, `${experimentId} ${value} on ${block}`);
    }),
  );
}
