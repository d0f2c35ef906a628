// The demo starts a real server, real clusters and real jobs, because that is what it promises: nothing cheaper shows that
// Ctrl-C leaves no process behind. The training script ends at once, so no torch is needed but for the check that it is there.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { temporaryProject } from '../support/test-lab.js';

const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));
const TIMEOUT_MS = 120_000;

const demoIn = (body: string) => {
  const directory = temporaryProject({
    'train.py': `DEPTH = 2\nASPECT_RATIO = 64\nMATRIX_LR = 0.04\n${body}`,
    'experiment.yaml': 'run: python3 train.py\n',
    'autoresearch.yaml': 'campaign: test\nlocal: { slots: 2 }\n',
  });
  return { directory, demo: execa(BIN, ['demo', '--project', directory], { reject: false }) };
};

const RESULT = 'print("---")\nprint(f"val_bpb: {1 + DEPTH / 100 + ASPECT_RATIO / 10000 - MATRIX_LR / 10:.6f}")\n';

it(
  'runs eight points and the unchanged base on two clusters, ranks them, and ends its clusters',
  async () => {
    const { demo, directory } = demoIn(RESULT);
    const { stdout, exitCode } = await demo;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('wave-001: 9 experiments (exp-0001…exp-0009) on gpu-01, gpu-02.');
    expect(stdout).toMatch(/1 {2}exp-0003 {4}1\.005200 .* done .* DEPTH=1 ASPECT_RATIO=32 MATRIX_LR=0\.08/);
    expect(stdout).toMatch(/DEPTH +1 +1\.010300 +4 +0\.010000\n +2 +1\.020300 +4/);
    expect(stdout).toContain('not a win');
    expect(stdout).toContain('gpu-01, gpu-02 ended; nothing was running there.');

    const again = await execa(BIN, ['demo', '--project', directory]);
    expect(again.stdout).toContain('What ran before is not paid for twice');
    expect(again.stdout).toMatch(/1 {2}exp-0003 {4}1\.005200/);
  },
  TIMEOUT_MS,
);

it(
  'leaves nothing running when it is interrupted',
  async () => {
    const pids = join(temporaryProject(), 'pids');
    const { demo } = demoIn(`import os, time
with open(${JSON.stringify(pids)}, "a") as file:
    print(os.getpid(), file=file)
time.sleep(600)
`);
    while (!existsSync(pids)) await sleep(100);
    demo.kill('SIGINT');
    const { exitCode, stdout } = await demo;
    expect(exitCode).toBe(130);
    expect(stdout).toContain('nothing is left running');
    const left = readFileSync(pids, 'utf8').trim().split('\n').map(Number).filter(isAlive);
    expect(left).toEqual([]);
  },
  TIMEOUT_MS,
);

/** One that has ended and that nobody has asked about yet (Z) is none. */
function isAlive(pid: number): boolean {
  if (existsSync('/proc/self/stat')) {
    const stat = `/proc/${pid}/stat`;
    return existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'));
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
