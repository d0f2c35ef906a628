import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { RunnerFile } from '../../../src/adapters/local/cluster-files.js';
import { runnerFile } from '../../../src/adapters/local/cluster-folder.js';
import { createLocalBackend } from '../../../src/adapters/local/local-backend.js';
import type { ClusterName } from '../../../src/ports/cluster-backend.js';
import { Bench } from '../../ports/contract/bench.js';

export interface Workplace {
  readonly bench: Bench;
  readonly directory: string;
  runnerPid(cluster: ClusterName): number;
}

/** A machine of `slots` slots, its clusters gone when the test is over. */
export async function openWorkplace(slots: number, folder?: string): Promise<Workplace> {
  const root = folder ?? (await temporaryFolder());
  const directory = join(root, '.autoresearch', 'clusters');
  const bench = await Bench.open({ create: async () => createLocalBackend({ directory, slots }) });
  onTestFinished(async () => await bench.close());
  return {
    bench,
    directory,
    runnerPid: (cluster) =>
      RunnerFile.parse(JSON.parse(readFileSync(runnerFile(join(directory, cluster)), 'utf8'))).pid,
  };
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'local backend ')); // a blank, for paths have them
  onTestFinished(async () => await rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

const BUILT = fileURLToPath(new URL('../../../dist/adapters/local/', import.meta.url));

/** A server of its own: another Node that runs `code` with the built `module` imported as `it`. */
export function anotherProcess(module: string, code: string): { child: ChildProcess; output: Promise<string> } {
  const script = `import * as it from ${JSON.stringify(join(BUILT, module))};\n${code}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  return { child, output: new Promise((resolve) => child.once('close', () => resolve(text))) };
}
