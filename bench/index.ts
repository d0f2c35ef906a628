import { isWithin, printFigures } from './figure.js';

/** Each measures on its own; `npm run bench -- tokens latency` runs only those. */
const BENCHES = {
  tokens: async () => (await import('./tokens.js')).tokenFigures(),
  latency: async () => (await import('./latency.js')).latencyFigures(),
  initialize: async () => (await import('./initialize.js')).initializeFigures(),
  busy: async () => (await import('./busy-share.js')).busyShareFigures(),
  skypilot: async () => (await import('./skypilot.js')).skypilotFigures(),
  analysis: async () => (await import('./analysis.js')).analysisFigures(),
  truth: async () => (await import('./planted-truth.js')).plantedTruthFigures(),
} as const;

const wanted = process.argv.slice(2);
let isGood = true;
for (const [name, measure] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const figures = await measure();
  printFigures(name, figures);
  isGood &&= figures.every(isWithin);
}
process.exitCode = isGood ? 0 : 1;
