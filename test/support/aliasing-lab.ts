import type { SimulatedOptions } from './simulated-backend.js';
import { summaryBlock, wrapperLine } from './simulated-backend.js';
import { createTestLab } from './test-lab.js';

export const ALIASING_TRAIN = `ASPECT_RATIO = 64  # width over depth
LEARNING_RATE = 0.04
WARMUP = 0.10
print("---")
`;

/** Eight layers, heads of 128: the width is rounded up to the next head, as upstream's train.py does it. */
const widthOf = (description: string): number => {
  const ratio = Number(/ASPECT_RATIO"?[=:](\d+)/.exec(description)?.[1] ?? 64);
  return Math.ceil((8 * ratio) / 128) * 128;
};

/** Runs of 60 s that print the model which the constant in their description makes: 72 and 80 are one, 64 is another. */
export const aliasingLab = (options: Partial<SimulatedOptions> = {}) =>
  createTestLab({
    clusters: 2,
    files: { 'train.py': ALIASING_TRAIN },
    run: (task) => ({
      seconds: 60,
      log:
        wrapperLine(task) +
        summaryBlock(0.98).replace("'n_layer': 8", `'n_embd': ${widthOf(task.envs['EXPERIMENT_DESC'] ?? '')}`),
    }),
    ...options,
  });
