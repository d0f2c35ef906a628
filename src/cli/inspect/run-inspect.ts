import { look } from '../../lab/look.js';
import { writeCharts } from '../charts/write-charts.js';
import { draw, inspect, type OpenLab, onlyProject, targetOf } from './inspect.js';
import { watch } from './watch.js';

interface Options {
  readonly log?: boolean;
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly charts?: string;
}

/** Short enough to see a run end, long enough that the machines are not asked all the time. */
const WATCH_MS = 2_000;

export async function runInspect(
  folder: string,
  what: string | undefined,
  options: Options,
  openLab: OpenLab,
): Promise<void> {
  const target = targetOf(what);
  if (options.charts !== undefined) {
    const { lab } = await look(await openLab(await onlyProject(folder)));
    const paths = await writeCharts(lab, options.charts, target.kind === 'wave' ? target.id : null);
    process.stdout.write(`${paths.join('\n')}\n`);
    return;
  }
  const text = async (indent: number) => {
    const report = await inspect(folder, target, options.log ?? false, openLab);
    return options.json ? JSON.stringify(report, null, indent) : draw(report);
  };
  if (!options.watch) {
    process.stdout.write(`${await text(2)}\n`);
    return;
  }
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  process.on('SIGINT', leave).on('SIGTERM', leave);
  await watch(() => text(0), { intervalMs: WATCH_MS, signal: leaving.signal });
}
