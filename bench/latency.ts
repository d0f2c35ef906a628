import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { submitRuns } from '../src/lab/submit-runs.js';
import { connectClient } from '../test/support/client.js';
import { simulatedLab, writeProject } from '../test/support/simulated-lab.js';
import { type Figure, quantile } from './figure.js';

const WAVES = 63;
const WAVE_SIZE = 16;
const CALLS = 200;

/** Answer times with a thousand experiments stored, by a client in the same process, the machines simulated. */
export async function latencyFigures(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'autoresearch-bench-'));
  writeProject(directory, {});
  const { lab } = await simulatedLab(directory);
  for (let wave = 0; wave < WAVES; wave++) {
    const requests = Array.from({ length: WAVE_SIZE }, (_, i) => ({
      description: `wave ${wave} run ${i}`,
      overrides: { LEARNING_RATE: 1 + wave * WAVE_SIZE + i },
      edits: [],
      workdir: null,
      replicateOf: null,
      levels: {},
    }));
    const ask = {
      description: '',
      kind: 'list' as const,
      factors: {},
      requests,
      replicates: 1,
      accelerators: [],
      cluster: null,
    };
    await submitRuns(lab, { ...ask, withBaseline: wave === 0 });
    await lab.sleep(400_000);
  }
  const client = await connectClient(async () => lab);
  const time = async (name: string, args: Record<string, unknown>) => {
    const times: number[] = [];
    for (let call = 0; call < CALLS; call++) {
      const startedAt = performance.now();
      await client.callTool({ name, arguments: args });
      times.push(performance.now() - startedAt);
    }
    return times;
  };
  const [status, fetch] = [await time('campaign_status', {}), await time('fetch_result', { wave_id: 'wave-030' })];
  await client.close();
  await lab.store.lease.release();
  rmSync(directory, { recursive: true, force: true });
  return [
    { name: `campaign_status, p95 of ${CALLS}`, value: quantile(status, 0.95), unit: 'ms', limit: { most: 30 } },
    { name: `fetch_result, p95 of ${CALLS}`, value: quantile(fetch, 0.95), unit: 'ms', limit: { most: 30 } },
  ];
}
