import { expect, it } from 'vitest';
import { crashMap } from '../../../src/domain/analysis/crash-map.js';
import { done, makeExperiment } from '../make-experiment.js';

const crashed = (n: number, cause: 'out_of_memory' | 'nan', overrides: Record<string, number>) =>
  makeExperiment(n, { state: 'crashed', overrides, crash: { cause, message: 'x', tail: '' } });

it('counts where runs crashed, by cause, against those that ran, the worst setting first', () => {
  const table = crashMap([
    done(1, 0.98, { overrides: { DEPTH: 8, LR: 0.05 } }),
    done(2, 0.98, { overrides: { DEPTH: 9, LR: 0.05 } }),
    crashed(3, 'out_of_memory', { DEPTH: 10, LR: 0.05 }),
    crashed(4, 'out_of_memory', { DEPTH: 12 }),
    crashed(5, 'nan', { DEPTH: 12, MOMENTUM: 2 }),
    makeExperiment(6, { state: 'timed_out', overrides: { DEPTH: 12 } }),
    makeExperiment(7, { state: 'cancelled', overrides: { DEPTH: 12 } }),
    makeExperiment(8, { state: 'running', overrides: { DEPTH: 12 } }),
    done(9, 0.98, { levels: { ACT: 'gelu' } }),
  ]);
  expect(table).toEqual([
    { setting: 'DEPTH', level: '8', ran: 1, crashed: 0, causes: {} },
    { setting: 'DEPTH', level: '9', ran: 1, crashed: 0, causes: {} },
    { setting: 'DEPTH', level: '10', ran: 0, crashed: 1, causes: { out_of_memory: 1 } },
    { setting: 'DEPTH', level: '12', ran: 0, crashed: 3, causes: { out_of_memory: 1, nan: 1, timeout: 1 } },
    { setting: 'LR', level: '0.05', ran: 2, crashed: 1, causes: { out_of_memory: 1 } },
    { setting: 'MOMENTUM', level: '2', ran: 0, crashed: 1, causes: { nan: 1 } },
  ]);
});

it('is empty where nothing crashed, and counts a factor that is a constant once', () => {
  expect(crashMap([done(1, 0.98, { overrides: { DEPTH: 8 } })])).toEqual([]);
  const both = makeExperiment(1, { state: 'crashed', overrides: { DEPTH: 8 }, levels: { DEPTH: 8 } });
  expect(crashMap([both])).toEqual([{ setting: 'DEPTH', level: '8', ran: 0, crashed: 1, causes: { error: 1 } }]);
});
