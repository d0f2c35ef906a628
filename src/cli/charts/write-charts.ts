import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mainEffects } from '../../domain/analysis/main-effects.js';
import { readingOf } from '../../domain/analysis/reading.js';
import { runsOfWave } from '../../domain/analysis/wave-effects.js';
import { analyse } from '../../lab/analyse.js';
import type { Lab } from '../../lab/lab.js';
import { effectsChart } from './effects-chart.js';
import { hardwareChart } from './hardware-chart.js';
import { progressChart } from './progress-chart.js';

/**
 * Writes progress.svg, effects.svg and hardware.svg; the folder is made. Answers with their paths.
 * @param waveId whose design effects.svg shows; null: the latest design with a result
 */
export async function writeCharts(lab: Lab, directory: string, waveId: string | null): Promise<string[]> {
  const { waves, analysis } = await analyse(lab);
  const { metric, fit, observations } = analysis;
  const file = waves.findLast(
    (one) =>
      (waveId === null || one.wave.id === waveId) &&
      runsOfWave(analysis, one).some(({ levels }) => Object.keys(levels).length > 0),
  );
  const runs = file ? runsOfWave(analysis, file) : [];
  const { comparable, noise } = readingOf(analysis, runs);
  const effects = mainEffects(runs.map((run) => ({ levels: run.levels, value: comparable(run) })));
  const charts = {
    'progress.svg': progressChart(analysis),
    'effects.svg': effectsChart(effects, metric.name, noise),
    'hardware.svg': hardwareChart(fit, observations, metric.name),
  };
  await mkdir(directory, { recursive: true });
  const paths = [];
  for (const [name, text] of Object.entries(charts)) {
    const path = join(directory, name);
    await writeFile(path, text);
    paths.push(path);
  }
  return paths;
}
