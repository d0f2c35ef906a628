import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { effectsChart } from '../../src/cli/charts/effects-chart.js';
import { roundTicks, textWidth } from '../../src/cli/charts/svg.js';
import { connectClient } from '../support/client.js';
import { runCommand } from '../support/command-line.js';
import { plantedLab, runWave } from '../support/planted-runs.js';

/** Tags open and close in order, attributes are quoted, nothing else has a bracket: what a browser wants of an SVG. */
function isWellFormed(xml: string): boolean {
  const open: string[] = [];
  const tags = xml.matchAll(/<(\/?)([a-z]+)((?: [\w:-]+="[^"<>]*")*)(\/?)>/g);
  for (const [, close, name = '', , isEmpty] of tags) {
    if (close) {
      if (open.pop() !== name) return false;
    } else if (!isEmpty) open.push(name);
  }
  const words = xml.replace(/<\/?[a-z]+(?: [\w:-]+="[^"<>]*")*\/?>/g, '');
  return open.length === 0 && !/[<>]|&(?!amp;|lt;|gt;|quot;)/.test(words);
}

const marks = (xml: string, kind: string): number => xml.split(`class="${kind}"`).length - 1;

it('draws progress, effects and hardware as SVG with a mark for each value, level and machine', async () => {
  const { lab, directory } = await plantedLab(
    ({ overrides }, noise) => ({ value: overrides['DEPTH'] === 9 ? null : 1 + 1e-3 * noise }),
    { clusters: 2 },
  );
  const client = await connectClient(async () => lab);
  await runWave(client, 'launch_wave', {
    design: {
      factors: {
        LEARNING_RATE: [0.02, 0.08],
        NAME: { levels: { '<a & "b">': {}, plain: { overrides: { DEPTH: 6 } } } },
      },
    },
    replicates: 2,
  });
  await runWave(client, 'launch_wave', {
    experiments: [9, 7].map((depth) => ({ description: `depth ${depth}`, overrides: { DEPTH: depth } })),
  });
  const charts = join(directory, 'charts');
  const { stdout, exitCode } = await runCommand(['inspect', '--charts', charts, '--project', directory], {
    [directory]: lab,
  });
  expect(exitCode).toBe(0);
  expect(stdout.trim().split('\n').sort()).toEqual(
    readdirSync(charts)
      .map((name) => join(charts, name))
      .sort(),
  );
  const read = (name: string) => readFileSync(join(charts, name), 'utf8');
  const results = (await lab.store.waves())
    .flatMap((file) => Object.values(file.experiments))
    .filter(({ state }) => state === 'done');
  expect(['progress.svg', 'effects.svg', 'hardware.svg'].filter((name) => !isWellFormed(read(name)))).toEqual([]);
  // The run that crashed has no mark, least of all at 0.
  expect(marks(read('progress.svg'), 'run')).toBe(results.length);
  expect(marks(read('progress.svg'), 'noise')).toBe(1);
  expect(marks(read('effects.svg'), 'level')).toBe(4);
  // What ran once shows nothing of its machine.
  expect(marks(read('hardware.svg'), 'run')).toBe(results.length - 1);
  expect(marks(read('hardware.svg'), 'offset')).toBe(2);
  expect(read('effects.svg')).toContain('NAME=&lt;a &amp; &quot;b&quot;&gt;');
  expect(read('progress.svg')).toContain('a run of the incumbent');
});

/** From where to where each word below the axis reaches, by its row. */
function spansOfWords(xml: string): Map<string, [number, number][]> {
  const rows = new Map<string, [number, number][]>();
  for (const [, x, y = '', text = ''] of xml.matchAll(
    /<text x="([\d.]+)" y="(38\d(?:\.\d)?|39\d|4\d\d(?:\.\d)?)"[^>]*>([^<]+)</g,
  )) {
    const half = textWidth(text.replace(/&[a-z]+;/g, '.')) / 2;
    rows.set(y, [...(rows.get(y) ?? []), [Number(x) - half, Number(x) + half]]);
  }
  return rows;
}

it.each([
  [2, 2],
  [5, 2],
  [11, 2],
  [2, 9],
])('writes the words of %i factors with %i levels side by side, and none over another', (factors, levels) => {
  const effects = Array.from({ length: factors }, (_, factor) => ({
    factor: `SOME_LONG_CONSTANT_${factor}`,
    range: 0.1,
    levels: Array.from({ length: levels }, (_, level) => ({ level: String(0.0125 * (level + 1)), mean: level, n: 8 })),
  }));
  const rows = spansOfWords(effectsChart(effects, 'val_bpb', null));
  expect([...rows.values()].flat()).toHaveLength(factors * (levels + 1));
  for (const row of rows.values()) {
    const sorted = row.sort(([a], [b]) => a - b);
    expect(sorted.slice(1).filter(([from], at) => from < (sorted[at]?.[1] ?? 0))).toEqual([]);
  }
});

it('sets ticks at round values within the range, and one where there is no range', () => {
  expect(roundTicks([0.9771, 0.9852]).map(({ text }) => text)).toEqual(['0.978', '0.980', '0.982', '0.984']);
  expect(roundTicks([1, 7]).map(({ text }) => text)).toEqual(['2', '4', '6']);
  expect(roundTicks([3, 3]).map(({ text }) => text)).toEqual(['3']);
});
