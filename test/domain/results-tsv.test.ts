import { expect, it } from 'vitest';
import { experimentId } from '../../src/domain/ids.js';
import { resultsTsv } from '../../src/domain/results-tsv.js';
import { done, makeExperiment } from './make-experiment.js';

it("is written in SkyPilot's columns, with nothing where there is no result, and only of what has ended", () => {
  const rows = [
    done(1, 1.0134567, { description: 'baseline' }),
    done(2, 0.99, { description: 'a\ttab\r\nand lines', metrics: { val_bpb: 0.99 } }),
    makeExperiment(3, { state: 'crashed', description: 'oom', metrics: null }),
    makeExperiment(4, { state: 'running' }),
  ];
  expect(resultsTsv(rows, 'val_bpb', experimentId(1))).toBe(
    [
      'experiment_id\tstatus\tval_bpb\tmemory_gb\tdescription',
      'exp-0001\tkeep\t1.013457\t2.0\tbaseline',
      'exp-0002\tdiscard\t0.990000\t\ta tab and lines',
      'exp-0003\tcrash\t\t\toom',
      '',
    ].join('\n'),
  );
});
