// Real jobs on this machine's own clusters: that a script which fails in earnest is told apart from one that a fake log imitates.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openWorkshop } from '../../src/compose.js';
import { callTool, connectClient } from '../support/client.js';
import { temporaryProject } from '../support/test-lab.js';

const TRAIN = `
import math, subprocess, sys, time
HOW = "well"
SIZE = 1
print(f"Model config: {{'size': {SIZE}}}")
if HOW == "raise": raise ValueError("SIZE must be even")
if HOW == "nan":
    print("\\rstep 00007 (1.0%) | loss: nan FAIL")
    sys.exit(1)
if HOW == "memory": raise MemoryError("cannot allocate")
if HOW == "silent": sys.exit(0)
if HOW == "hang": time.sleep(600)
print("---")
print("val_bpb:          " + ("nan" if HOW == "no number" else f"{1 / SIZE:.6f}"))
print("peak_vram_mb:     10.0")
print("device: a CPU")
`;

async function realProject(files: Record<string, string>) {
  const directory = temporaryProject({
    'train.py': TRAIN,
    'experiment.yaml': 'workdir: .\nrun: |\n  python3 train.py\n',
    'autoresearch.yaml': 'campaign: test\nlocal: { slots: 2 }\nlimits: { job_timeout_minutes: 0.03 }\n',
    ...files,
  });
  const workshop = openWorkshop(directory);
  const client = await connectClient(() => workshop.openLab());
  onTestFinished(async () => {
    await callTool(client, 'teardown', { all: true });
    await workshop.close();
  });
  return { directory, client, call: callTool.bind(null, client) };
}

const tries = (...ways: string[]) => ({
  experiments: ways.map((how) => ({ description: how, overrides: { HOW: how } })),
});

interface Row {
  description: string;
  state: string;
  crash?: { cause: string; message: string };
}

async function outcomes(call: Awaited<ReturnType<typeof realProject>>['call']) {
  const { structured } = await call('fetch_result', { wave_id: 'wave-001', wait_seconds: 50 });
  const { experiments = [] }: { experiments?: Row[] } = Object(structured);
  return experiments.map(({ description, state, crash }) => [
    description,
    state,
    ...(crash ? [crash.cause, crash.message] : []),
  ]);
}

it('tells how each of seven real runs ended, and leaves the project as it was', async () => {
  const { call, directory } = await realProject({});
  await call('launch_wave', tries('raise', 'nan', 'memory', 'silent', 'hang', 'no number'));
  expect(await outcomes(call)).toMatchInlineSnapshot(`
    [
      [
        "baseline: the unchanged base",
        "done",
      ],
      [
        "raise",
        "crashed",
        "error",
        "ValueError: SIZE must be even",
      ],
      [
        "nan",
        "crashed",
        "nan",
        "The loss became NaN or exploded: train.py printed FAIL.",
      ],
      [
        "memory",
        "crashed",
        "out_of_memory",
        "MemoryError: cannot allocate",
      ],
      [
        "silent",
        "crashed",
        "no_result",
        "It ended well but printed no "val_bpb: <number>" behind a line "---".",
      ],
      [
        "hang",
        "timed_out",
        "timeout",
        "It ran past job_timeout_minutes and was ended.",
      ],
      [
        "no number",
        "crashed",
        "metric_not_a_number",
        "It printed val_bpb: nan",
      ],
    ]
  `);
  expect(readdirSync(directory).sort()).toEqual(['.autoresearch', 'autoresearch.yaml', 'experiment.yaml', 'train.py']);
  expect(readFileSync(join(directory, 'train.py'), 'utf8')).toBe(TRAIN);
}, 60_000);

it('names the interpreter that is missing, and the setup that failed with its own words', async () => {
  const { call } = await realProject({ 'experiment.yaml': 'workdir: .\nrun: python9 train.py\n' });
  await call('launch_wave', tries('raise'));
  expect(await outcomes(call)).toMatchInlineSnapshot(`
    [
      [
        "baseline: the unchanged base",
        "crashed",
        "missing_command",
        "python9: command not found",
      ],
      [
        "raise",
        "crashed",
        "missing_command",
        "python9: command not found",
      ],
    ]
  `);
  const failing = await realProject({
    'experiment.yaml': 'workdir: .\nsetup: |\n  echo "error: no such wheel"; exit 3\nrun: python3 train.py\n',
  });
  await failing.call('launch_wave', tries('raise'));
  expect(await outcomes(failing.call)).toMatchInlineSnapshot(`
    [
      [
        "baseline: the unchanged base",
        "crashed",
        "setup_failed",
        "error: no such wheel",
      ],
      [
        "raise",
        "crashed",
        "setup_failed",
        "error: no such wheel",
      ],
    ]
  `);
}, 60_000);

it('shows every experiment what setup made, none the files of another, and runs setup once a cluster', async () => {
  const { call, directory } = await realProject({
    'train.py':
      'import os\nN = 0\nassert open("made.txt").read() == "by setup\\n"\nassert not os.path.exists("left.txt")\nopen("left.txt", "w").write("x")\nprint("---\\nval_bpb: 1.0")\n',
    'experiment.yaml':
      'workdir: .\nsetup: |\n  echo "by setup" > made.txt; echo once >> "$COUNT"\nrun: python3 train.py\nenvs: { COUNT: COUNT_FILE }\n',
  });
  const count = join(directory, '.autoresearch', 'count.txt');
  const task = readFileSync(join(directory, 'experiment.yaml'), 'utf8').replace('COUNT_FILE', count);
  writeFileSync(join(directory, 'experiment.yaml'), task);
  await call('launch_wave', { design: { factors: { N: [1, 2, 3, 4, 5] } } });
  expect((await outcomes(call)).map(([, state]) => state)).toEqual(Array.from({ length: 6 }, () => 'done'));
  expect(readFileSync(count, 'utf8')).toBe('once\nonce\n');
  expect(existsSync(join(directory, 'left.txt'))).toBe(false);
}, 60_000);

it('goes on after a wave’s file was cut short, and says that it was rebuilt', async () => {
  const { call, directory } = await realProject({});
  await call('launch_wave', tries('silent'));
  await call('fetch_result', { wave_id: 'wave-001', wait_seconds: 30 });
  const file = join(directory, '.autoresearch', 'waves', 'wave-001.json');
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 300));
  expect(await outcomes(call)).toHaveLength(2);
  await call('launch_wave', tries('raise'));
  const kept = readdirSync(join(directory, '.autoresearch', 'waves')).filter((name) =>
    name.startsWith('wave-001.json'),
  );
  expect(kept.length).toBeGreaterThan(0);
}, 60_000);
