import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { z } from 'zod';
import { Experiment } from '../../src/domain/experiment.js';
import type { Task } from '../../src/ports/cluster-backend.js';
import { callTool } from './client.js';
import { dice } from './dice.js';
import { summaryBlock, wrapperLine } from './simulated-backend.js';
import { createTestLab } from './test-lab.js';

/** What a run prints: its value, null for a crash, and its model where that matters. */
export interface Outcome {
  readonly value: number | null;
  readonly modelConfig?: string;
}

const Stored = z.object({ data: z.object({ experiments: z.record(z.string(), Experiment) }) });

/** A lab whose runs print what is planted, by what was planned of them: constants, levels, cluster. */
export async function plantedLab(
  outcomeOf: (run: Experiment, noise: number) => Outcome,
  options: Parameters<typeof createTestLab>[0] = {},
) {
  let waves = '';
  const planned = (name: string): Experiment => {
    const files = readdirSync(waves).filter((file) => file.endsWith('.json'));
    const texts = files.map((file) => readFileSync(join(waves, file), 'utf8'));
    const found = texts.flatMap((text) => Stored.parse(JSON.parse(text)).data.experiments[name] ?? []);
    if (!found[0]) throw new Error(`${name} is not stored.`);
    return found[0];
  };
  const run = (task: Task) => {
    const { value, modelConfig } = outcomeOf(planned(task.name), noiseOf(task.name));
    if (value === null) return { seconds: 60, log: `${wrapperLine(task)}CUDA out of memory\n`, exitCode: 1 };
    const block = summaryBlock(value);
    const printed =
      modelConfig === undefined ? block : block.replace(/Model config: .*/, `Model config: ${modelConfig}`);
    return { seconds: 60, log: wrapperLine(task) + printed };
  };
  const simulated = await createTestLab({ run, ...options });
  waves = join(simulated.directory, '.autoresearch', 'waves');
  return simulated;
}

/** Standard normal, by the run's id: clusters take their jobs in no fixed order. */
const noiseOf = (name: string): number => dice(Number(name.replace(/\D/g, '')) * 7919).normal();

/** Launches and waits until all have ended; the ids of the wave. */
export async function runWave(client: Client, tool: string, args: Record<string, unknown>): Promise<string> {
  const launched = await callTool(client, tool, args);
  if (launched.error !== undefined) throw new Error(launched.error);
  const { wave_id } = z.object({ wave_id: z.string() }).parse(launched.structured);
  for (let call = 0; call < 100; call++) {
    const { structured } = await callTool(client, 'fetch_result', { wave_id, wait_seconds: 50 });
    const { ended, total } = z.object({ ended: z.number(), total: z.number() }).parse(structured);
    if (ended === total) return wave_id;
  }
  throw new Error(`${wave_id} does not end.`);
}
