import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { z } from 'zod';
import { Experiment, type ExperimentRequest, type Literal } from '../src/domain/experiment.js';
import { experimentId, waveId } from '../src/domain/ids.js';
import { type Lab, readExperiments } from '../src/lab/lab.js';
import { submitRuns } from '../src/lab/submit-runs.js';
import { connectClient } from '../test/support/client.js';
import { dice } from '../test/support/dice.js';
import { summaryBlock, wrapperLine } from '../test/support/simulated-backend.js';
import { simulatedLab, writeProject } from '../test/support/simulated-lab.js';
import { type Figure, quantile } from './figure.js';

const [WAVES, WAVE_SIZE, SENTINELS, CALLS] = [79, 16, 2, 100];
const CONSTANTS = ['DEPTH', 'WIDTH', 'LR', 'BETA', 'DECAY', 'WARMUP', 'CLIP', 'DROPOUT'];

/** One analysis of a thousand experiments on sixteen machines, worked out anew every time, and the size of its answer. */
export async function analysisFigures(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'autoresearch-bench-'));
  const lab = await longCampaign(directory);
  // Another store object each time: what was worked out for the last one is not found.
  const client = await connectClient(async () => ({ ...lab, store: { ...lab.store } }));
  const times: number[] = [];
  let answer: CallToolResult | null = null;
  for (let call = 0; call < CALLS; call++) {
    const startedAt = performance.now();
    answer = Answer.parse(await client.callTool({ name: 'analyze_results', arguments: {} }));
    times.push(performance.now() - startedAt);
  }
  const [first] = answer?.content ?? [];
  const text = first?.type === 'text' ? first.text : '';
  const count = (await readExperiments(lab)).length;
  await client.close();
  await lab.store.lease.release();
  rmSync(directory, { recursive: true, force: true });
  return [
    {
      name: `analyze_results of ${count}, p95 of ${CALLS}`,
      value: quantile(times, 0.95),
      unit: 'ms',
      limit: { most: 200 },
    },
    { name: 'its text', value: encode(text).length, unit: 'tokens', limit: { most: 600 } },
    { name: 'its whole answer', value: encode(JSON.stringify(answer)).length, unit: 'tokens' },
  ];
}

const Answer = z.custom<CallToolResult>(
  (value) =>
    z
      .object({ content: z.array(z.unknown()), isError: z.undefined().optional() })
      .loose()
      .safeParse(value).success,
);
const Stored = z.object({ data: z.object({ experiments: z.record(z.string(), Experiment) }) });

/** Eight constants, two of which shape the model; a fifth of the levels of one helps; hosts differ; some run out of memory. */
async function longCampaign(directory: string): Promise<Lab> {
  writeProject(directory, { 'train.py': `${CONSTANTS.map((name) => `${name} = 1`).join('\n')}\nprint("---")\n` });
  const random = dice(1);
  let waves = 0;
  const planned = (name: string): Experiment | undefined => {
    const path = join(directory, '.autoresearch', 'waves', `${waveId(waves)}.json`);
    return Stored.parse(JSON.parse(readFileSync(path, 'utf8'))).data.experiments[name];
  };
  const { lab } = await simulatedLab(directory, {
    run: (task) => {
      const run = planned(task.name);
      const { DEPTH = 1, WIDTH = 1, LR = 1 } = run?.overrides ?? {};
      if (DEPTH === 8) return { seconds: 300, log: `${wrapperLine(task)}CUDA out of memory\n`, exitCode: 1 };
      const value = 0.98 + hostOffset(run?.cluster ?? '') - (LR === 3 ? 8e-4 : 0) + 1.5e-4 * random.normal();
      const model = `Model config: {'n_layer': ${DEPTH}, 'n_embd': ${Math.ceil(Number(WIDTH) / 2)}}`;
      return { seconds: 300, log: wrapperLine(task) + summaryBlock(value).replace(/Model config: .*/, model) };
    },
  });
  for (let wave = 0; wave < WAVES; wave++) {
    const design = wave % 3 === 2 ? crossed(wave) : scattered(wave);
    waves++;
    await submitRuns(lab, {
      description: '',
      ...design,
      requests: [...design.requests, ...(wave === 0 ? [] : Array.from({ length: SENTINELS }, sentinel))],
      replicates: 1,
      accelerators: [],
      cluster: null,
      withBaseline: wave === 0,
    });
    await lab.sleep(400_000);
  }
  await submitted(lab);
  return lab;
}

const submitted = async (lab: Lab): Promise<void> => {
  const client = await connectClient(async () => lab);
  await client.callTool({ name: 'fetch_result', arguments: { wave_id: waveId(WAVES) } });
  await client.close();
};

const hostOffset = (cluster: string): number => 7e-4 * Math.sin(Number(cluster.replace(/\D/g, '')) * 2.4);

const requestFor = (levels: Record<string, Literal>, isDesign: boolean): ExperimentRequest => ({
  description: Object.entries(levels)
    .map(([name, level]) => `${name}=${level}`)
    .join(' '),
  overrides: levels,
  edits: [],
  workdir: null,
  replicateOf: null,
  levels: isDesign ? levels : {},
});

const sentinel = (): ExperimentRequest => ({
  ...requestFor({}, false),
  description: 'sentinel',
  replicateOf: experimentId(1),
});

/** One constant at a time, each level once, beside a DECAY of the wave's own. */
const scattered = (wave: number) => ({
  kind: 'list' as const,
  factors: {},
  requests: Array.from({ length: WAVE_SIZE - SENTINELS }, (_, i) =>
    requestFor({ DECAY: 2 + wave, [CONSTANTS[i % CONSTANTS.length] ?? 'LR']: 2 + i }, false),
  ),
});

/** 2³ over three constants, and six more. */
function crossed(wave: number) {
  const names = [0, 1, 2].map((k) => CONSTANTS[(wave + k) % 4] ?? 'LR');
  const at = (point: number, low: number, high: number) =>
    Object.fromEntries(names.map((name, k) => [name, (point >> k) % 2 === 0 ? low : high]));
  const points = [...Array(8).keys()]
    .map((point) => at(point, 2, 3))
    .map((levels) => ({ ...levels, CLIP: 100 + wave }));
  return {
    kind: 'full_factorial' as const,
    factors: { ...Object.fromEntries(names.map((name) => [name, [2, 3]])), CLIP: [100 + wave] },
    requests: points.map((levels) => requestFor(levels, true)),
  };
}
