import type { BlockedFit } from '../../domain/analysis/adjusted-values.js';
import type { BlockedObservation } from '../../domain/analysis/observations.js';
import { COLOURS, dot, frame, legend, line, roundTicks, spanOf, svg } from './svg.js';

/**
 * Each machine's runs as printed, less the adjusted value of their configuration, and a bar at what the fit takes its offset to be. A
 * configuration that ran once shows nothing of its machine, and is left out.
 */
export function hardwareChart(fit: BlockedFit, observations: readonly BlockedObservation[], metric: string): string {
  const adjusted = new Map(fit.configs.flatMap((row) => (row.n > 1 ? [[row.config, row.adjusted] as const] : [])));
  const places = new Map(fit.blocks.map(({ block }, at) => [block, at]));
  const points = observations.flatMap((run) => {
    const value = adjusted.get(run.config);
    return value === undefined ? [] : [{ run, at: places.get(run.block) ?? 0, rest: run.value - value }];
  });
  const range = spanOf([...points.map(({ rest }) => rest), ...fit.blocks.map(({ offset }) => offset)]);
  const { x, y, furniture } = frame(
    `What machines add to ${metric} (offsets: ${fit.method})`,
    {
      label: 'machine: cluster and what it is',
      range: [-0.5, Math.max(0.5, fit.blocks.length - 0.5)],
      ticks: fit.blocks.map(({ block }, at) => ({ at, text: shortName(block, fit.blocks.length) })),
    },
    { label: `${metric} less the configuration’s`, range, ticks: roundTicks(range) },
  );
  return svg(
    furniture,
    legend([
      [COLOURS.run, 'a run of a configuration that ran more than once'],
      [COLOURS.bad, 'what the machine is taken to add'],
    ]),
    ...points.map(({ run, at, rest }) =>
      dot('run', [x(at), y(rest)], COLOURS.run, `${run.experimentId} ${run.value} on ${run.block}`),
    ),
    ...fit.blocks.map(({ offset }, at) =>
      line('offset', [x(at - 0.3), y(offset)], [x(at + 0.3), y(offset)], COLOURS.bad),
    ),
  );
}

/** `gpu-01 @1800000000000 H100:1` is `gpu-01 H100:1`, and of many machines the cluster alone. */
function shortName(block: string, count: number): string {
  const short = block.replace(/ @\S+/, '');
  return count > 6 ? (short.split(' ')[0] ?? short) : short;
}
