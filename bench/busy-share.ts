import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { z } from 'zod';
import { openStore } from '../src/store/store.js';
import { type Figure, quantile } from './figure.js';

const CLUSTERS = 16;
const WAVES = 10;
const RUN_SECONDS = 2;
/** npm runs scripts in the package's folder. */
const bin = resolve('dist', 'bin.js');

/** Sixteen local clusters and a real server: each wave is launched while the one before it runs. */
export async function busyShareFigures(): Promise<Figure[]> {
  const project = mkdtempSync(join(tmpdir(), 'autoresearch-bench-'));
  writeFileSync(join(project, 'train.py'), 'X = 0\n');
  writeFileSync(
    join(project, 'experiment.yaml'),
    `workdir: .\nrun: |\n  sleep ${RUN_SECONDS}\n  printf -- '---\\nval_bpb: 1.0\\n'\n`,
  );
  writeFileSync(join(project, 'autoresearch.yaml'), `campaign: busy\nlocal: { slots: ${CLUSTERS} }\n`);
  const client = new Client({ name: 'bench', version: '0' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [bin, '--project', project] }));
  const call = async (name: string, args: Record<string, unknown>) => {
    const answer = await client.callTool({ name, arguments: args });
    if (answer.isError === true) throw new Error(JSON.stringify(answer.content));
    return answer.structuredContent;
  };
  try {
    for (let wave = 0; wave < WAVES; wave++) {
      // The first wave adds the unchanged base itself.
      const experiments = Array.from({ length: wave === 0 ? CLUSTERS - 1 : CLUSTERS }, (_, i) => ({
        description: `wave ${wave} run ${i}`,
        overrides: { X: 1 + wave * CLUSTERS + i },
      }));
      const answer = await call('launch_wave', { experiments });
      const { wave_id } = z.object({ wave_id: z.string() }).parse(answer);
      const before = `wave-${String(Number(wave_id.slice(5)) - 1).padStart(3, '0')}`;
      if (wave > 0) await call('fetch_result', { wave_id: before, wait_seconds: 50 });
    }
    await call('fetch_result', { wave_id: `wave-${String(WAVES).padStart(3, '0')}`, wait_seconds: 50 });
    return await figuresOf(project);
  } finally {
    await call('teardown', { all: true });
    await client.close();
    rmSync(project, { recursive: true, force: true });
  }
}

async function figuresOf(project: string): Promise<Figure[]> {
  const waves = await openStore(join(project, '.autoresearch'), Date.now).waves();
  const runs = waves.flatMap(({ experiments }) => Object.values(experiments)).filter(({ state }) => state === 'done');
  const starts = runs.map(({ startedAt }) => startedAt ?? Number.NaN);
  const ends = runs.map(({ endedAt }) => endedAt ?? Number.NaN);
  const spanSeconds = (Math.max(...ends) - Math.min(...starts)) / 1000;
  const gaps = [...new Set(runs.map(({ cluster }) => cluster))].flatMap((cluster) => {
    const there = runs.filter((run) => run.cluster === cluster).sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0));
    return there.slice(1).map((run, i) => (run.startedAt ?? 0) - (there[i]?.endedAt ?? 0));
  });
  return [
    { name: 'jobs with a result', value: runs.length, unit: 'jobs', limit: { least: CLUSTERS * WAVES } },
    {
      name: `busy share: ${RUN_SECONDS} s × jobs / (${CLUSTERS} × first start to last end)`,
      value: (100 * RUN_SECONDS * runs.length) / (CLUSTERS * spanSeconds),
      unit: '%',
      limit: { least: 95 },
    },
    { name: 'gap between two jobs of a cluster, median', value: quantile(gaps, 0.5), unit: 'ms' },
    { name: 'gap between two jobs of a cluster, 99th percentile', value: quantile(gaps, 0.99), unit: 'ms' },
  ];
}
