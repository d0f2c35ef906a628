import { drawEffects, drawRows, NO_NOISE_FLOOR, noiseWords } from './draw-rows.js';
import { foreignLine } from './foreign-text.js';
import { counted } from './quantities.js';
import type { WaveReport } from './report.js';
import { bold, dim, warning } from './table.js';

export function drawWave({
  wave,
  campaign,
  metric,
  experiments,
  main_effects,
  notices,
  noise_floor,
}: WaveReport): string {
  const factors = Object.entries(wave.factors).map(
    ([name, levels]) => `${name} {${levels.map((level) => JSON.stringify(level)).join(', ')}}`,
  );
  return [
    `${bold(wave.wave_id)} of ${campaign}  ${metric.goal} ${metric.name}  ${dim(foreignLine(wave.description))}`,
    `  ${wave.kind === 'list' ? 'a list' : `${wave.kind} over ${factors.join(' × ')}`}; ${wave.ended} of ${counted(wave.experiments, 'experiment')} ended`,
    ...notices.map((notice) => warning(`  ! ${foreignLine(notice)}`)),
    '',
    drawRows(experiments, metric.name),
    ...(main_effects.length === 0
      ? []
      : ['', bold('What each factor did (means over the levels of the others)'), drawEffects(main_effects, metric)]),
    '',
    noise_floor === null ? warning(NO_NOISE_FLOOR) : `Noise floor: ${noiseWords(noise_floor)}`,
  ].join('\n');
}
