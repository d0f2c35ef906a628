import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { connectClient } from '../test/support/client.js';
import { summaryBlock, wrapperLine } from '../test/support/simulated-backend.js';
import { simulatedLab, writeProject } from '../test/support/simulated-lab.js';
import type { Figure } from './figure.js';

const tokens = (value: unknown): number => encode(JSON.stringify(value)).length;

/** o200k tokens of the JSON that a client receives, text and structured content both, on a virtual clock. */
export async function tokenFigures(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'autoresearch-bench-'));
  writeProject(directory, {});
  let run = 0;
  const { lab } = await simulatedLab(directory, {
    run: (task) => ({ seconds: 325, log: wrapperLine(task) + summaryBlock(0.97 + ((run++ * 7919) % 1000) / 30_000) }),
  });
  const client = await connectClient(async () => lab);
  const parts: Record<string, number> = {};
  const call = async (part: string, name: string, args: Record<string, unknown>) => {
    const answer = await client.callTool({ name, arguments: args });
    parts[part] = (parts[part] ?? 0) + tokens(answer);
    return answer;
  };
  const list = tokens(await client.listTools());
  // Sixteen runs: the fifteen below and the unchanged base, which the first wave adds.
  const experiments = Array.from({ length: 15 }, (_, i) => ({
    description: `LEARNING_RATE ${(0.021 + i / 500).toFixed(3)}`,
    overrides: { LEARNING_RATE: 0.021 + i / 500 },
  }));
  await call('launch', 'launch_wave', { experiments });
  let waits = 0;
  for (let isLast = false; !isLast; ) {
    const answer = await client.callTool({
      name: 'fetch_result',
      arguments: { wave_id: 'wave-001', wait_seconds: 50 },
    });
    if (answer.isError === true) throw new Error(JSON.stringify(answer));
    isLast = JSON.stringify(answer).includes('exp-0016');
    parts[isLast ? 'results' : 'waits'] = (parts[isLast ? 'results' : 'waits'] ?? 0) + tokens(answer);
    if (!isLast) waits++;
    if (waits > 20) throw new Error('The wave does not end.');
  }
  await client.close();
  await lab.store.lease.release();
  rmSync(directory, { recursive: true, force: true });
  const total = Object.values(parts).reduce((sum, n) => sum + n, 0);
  const split = Object.entries(parts)
    .map(([part, n]) => `${part} ${n}`)
    .join(', ');
  return [
    { name: 'tools/list', value: list, unit: 'tokens', limit: { most: 6_000 } },
    {
      name: `wave of 16: launch, ${waits} waits, results (${split})`,
      value: total,
      unit: 'tokens',
      limit: { most: 1_400 },
    },
  ];
}
