import { stripVTControlCharacters } from 'node:util';
import { vi } from 'vitest';
import { runCommandLine } from '../../src/cli/command-line.js';
import type { Lab } from '../../src/lab/lab.js';

/** Runs a command in this process; what it printed, without colours, and its exit code. */
export async function runCommand(args: readonly string[], labs: Readonly<Record<string, Lab>>) {
  const printed = { stdout: '', stderr: '' };
  const capture = (stream: keyof typeof printed) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      printed[stream] += stripVTControlCharacters(String(text));
      return true;
    });
  const spies = [capture('stdout'), capture('stderr')];
  try {
    await runCommandLine({
      version: '0.0.0',
      args,
      projectFolder: (flag) => flag ?? '.',
      openWorkshop: (folder) => ({
        openLab: async () => {
          const lab = labs[folder];
          if (!lab) throw new Error(`The test has no lab for ${folder}.`);
          return lab;
        },
        close: async () => undefined,
      }),
    });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  const exitCode = process.exitCode ?? 0;
  process.exitCode = 0;
  return { ...printed, exitCode };
}
