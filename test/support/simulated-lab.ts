import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createPythonChecker } from '../../src/adapters/python/python-checker.js';
import type { Lab } from '../../src/lab/lab.js';
import { readProject } from '../../src/store/read-project.js';
import { openSnapshots } from '../../src/store/snapshots.js';
import { openStore } from '../../src/store/store.js';
import {
  SimulatedBackend,
  type SimulatedOptions,
  summaryBlock,
  virtualClock,
  wrapperLine,
} from './simulated-backend.js';

export const TRAIN_PY = `LEARNING_RATE = 0.04  # step size
DEPTH = 8  # layers
BETAS = (0.8, 0.95)
print("---")
`;
export const EXPERIMENT_YAML = 'resources:\n  accelerators: H100:1\nworkdir: .\nrun: python train.py\n';

export function writeProject(directory: string, files: Readonly<Record<string, string>>): void {
  const all = {
    'train.py': TRAIN_PY,
    'experiment.yaml': EXPERIMENT_YAML,
    'autoresearch.yaml': 'campaign: test\n',
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

export interface SimulatedLab {
  readonly lab: Lab;
  readonly backend: SimulatedBackend;
  readonly directory: string;
  /** Another server on the same project and machines. */
  another(): Promise<Lab>;
}

/** A real store, real snapshots, a real Python check; the machines and the clock are simulated. Runs take 300 s. */
export async function simulatedLab(directory: string, options: Partial<SimulatedOptions> = {}): Promise<SimulatedLab> {
  const clock = options.clock ?? virtualClock();
  const backend = new SimulatedBackend({
    clock,
    clusters: 16,
    run: (task) => ({ seconds: 300, log: wrapperLine(task) + summaryBlock(1) }),
    ...options,
  });
  let ids = 0;
  const another = async (): Promise<Lab> => ({
    project: await readProject(directory),
    backend,
    checker: createPythonChecker(directory),
    store: openStore(join(directory, '.autoresearch'), clock.now),
    snapshots: openSnapshots(join(directory, '.autoresearch', 'snapshots')),
    mark: 'abc123',
    secrets: [{ name: 'SOME_TOKEN', value: 'very-secret' }],
    now: clock.now,
    sleep: clock.sleep,
    within: (_, work) => work,
    randomId: () => `nonce-${++ids}`,
  });
  return { lab: await another(), backend, directory, another };
}
