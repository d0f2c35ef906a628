import { expect, it } from 'vitest';
import { readResultsTsv } from '../../src/domain/read-results-tsv.js';
import { resultsTsv } from '../../src/domain/results-tsv.js';
import { done, makeExperiment } from './make-experiment.js';

const SKYPILOT = `experiment_id\tstatus\tval_bpb\tmemory_gb\tdescription
exp-01\tkeep\t1.003000\t44.0\tbaseline
exp-02\tcrash\t0.000000\t0.0\tdepth 12 (OOM)
exp-03\tdiscard\t1.005000\t44.2\tGeLU\tinstead of ReLU²
`;
const KARPATHY = `commit\tval_bpb\tmemory_gb\tstatus\tdescription\r
a1b2c3d\t0.997900\t44.0\tkeep\tbaseline\r
d4e5f6g\t0.000000\t0.0\tcrash\tdouble model width (OOM)\r
`;

it('reads both published column orders by their headers, a crash without a result', () => {
  expect(readResultsTsv(SKYPILOT, 'val_bpb')).toEqual({
    problems: [],
    rows: [
      { name: 'exp-01', commit: null, status: 'keep', value: 1.003, memoryGb: 44, description: 'baseline' },
      { name: 'exp-02', commit: null, status: 'crash', value: null, memoryGb: null, description: 'depth 12 (OOM)' },
      {
        name: 'exp-03',
        commit: null,
        status: 'discard',
        value: 1.005,
        memoryGb: 44.2,
        description: 'GeLU instead of ReLU²',
      },
    ],
  });
  expect(readResultsTsv(KARPATHY, 'val_bpb').rows).toEqual([
    { name: 'a1b2c3d', commit: 'a1b2c3d', status: 'keep', value: 0.9979, memoryGb: 44, description: 'baseline' },
    {
      name: 'd4e5f6g',
      commit: 'd4e5f6g',
      status: 'crash',
      value: null,
      memoryGb: null,
      description: 'double model width (OOM)',
    },
  ]);
});

it('takes no 0 for a result where the memory is 0 too, and a 0 that was measured for what it is', () => {
  const head = 'status\tloss\tmemory_gb\tdescription\n';
  expect(readResultsTsv(`${head}discard\t0.000000\t0.0\ta crash by another name`, 'loss').rows[0]?.value).toBeNull();
  expect(readResultsTsv(`${head}keep\t0.000000\t3.1\tsolved`, 'loss').rows[0]?.value).toBe(0);
});

it('leaves out a line whose value is no number, and says which', () => {
  const { rows, problems } = readResultsTsv(
    'status\tval_bpb\tdescription\nkeep\tgood\tx\nkeep\t1.0\ty\nkeep\t\tz\n',
    'val_bpb',
  );
  expect(rows.map(({ value }) => value)).toEqual([1, null]);
  expect(problems).toEqual(['line 2: val_bpb is no number: "good"']);
});

it.each(['', 'a\tb\n1\t2\n', 'exp-01\tkeep\t1.003\t44.0\tno header\n'])(
  'refuses a file without a header (%j)',
  (text) => {
    expect(() => readResultsTsv(text, 'val_bpb')).toThrow('has no column val_bpb');
  },
);

it('reads what we write: a value to its six digits, nothing for a crash', () => {
  const runs = [
    done(1, 0.9791234, { description: 'one' }),
    makeExperiment(2, { state: 'crashed', description: 'two' }),
  ];
  expect(readResultsTsv(resultsTsv(runs, 'val_bpb', null), 'val_bpb').rows).toMatchObject([
    { name: 'exp-0001', status: 'discard', value: 0.979123, memoryGb: 2, description: 'one' },
    { name: 'exp-0002', status: 'crash', value: null, memoryGb: null, description: 'two' },
  ]);
});
