import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SimulatedOptions } from './simulated-backend.js';
import { type SimulatedLab, simulatedLab, writeProject } from './simulated-lab.js';

/** A folder with a project in it, gone when the test has ended. */
export function temporaryProject(files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'autoresearch-test-'));
  // With retries: a call that its client gave up may still be writing its round down.
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  writeProject(directory, files);
  return directory;
}

/** Machines that should be asked every five seconds at most, as SkyPilot's. */
export const SELDOM_ASKED = { pollMs: 5_000, choosesAccelerators: false, remembersJobs: false };

type Options = Partial<SimulatedOptions> & { readonly files?: Record<string, string> };

export async function createTestLab({ files, ...options }: Options = {}): Promise<SimulatedLab> {
  const simulated = await simulatedLab(temporaryProject(files), options);
  const opened = [simulated.lab];
  onTestFinished(async () => {
    for (const { store } of opened) await store.lease.release();
  });
  return {
    ...simulated,
    async another() {
      const lab = await simulated.another();
      opened.push(lab);
      return lab;
    },
  };
}
