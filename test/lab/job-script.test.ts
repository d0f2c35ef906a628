import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/domain/snapshot.js';
import { runScript, setupScript, WRONG_CODE_EXIT } from '../../src/lab/job-script.js';
import { openSnapshots, type SourceFile } from '../../src/store/snapshots.js';

/** Real bash with the real tools, for the script is the product: a reading of its text would prove nothing. */
const MARK = 'abcdef';
const BASE = {
  'train.py': 'print(1)\n',
  'lib/old.py': 'old',
  'data/tracked.txt': 'tracked',
  'uv.lock': 'locked',
  'it\'s a "name" $HOME `x`.txt': 'odd',
  'ä 🦊.txt': 'unicode',
  '-n.txt': 'dash',
  'go.sh': 'echo go',
};

let folder: string;
let workdir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autoresearch-test-'));
  workdir = join(folder, 'workdir');
});
afterEach(() => rmSync(folder, { recursive: true }));

type Tree = Record<string, string>;
const store = () => openSnapshots(join(folder, 'snapshots'));
const sources = (tree: Tree, executable: readonly string[] = []): SourceFile[] =>
  Object.entries(tree).map(([path, text]) => ({
    path,
    content: Buffer.from(text),
    executable: executable.includes(path),
  }));

function write(root: string, tree: Tree): void {
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** The cluster with the base's files in its working directory, after the task's setup where it has one. */
async function prepare({
  tree = BASE,
  executable = ['go.sh'],
  setup,
}: {
  tree?: Tree;
  executable?: string[];
  setup?: string;
} = {}) {
  const base = await store().save(sources(tree, executable));
  write(workdir, tree);
  for (const path of executable) chmodSync(join(workdir, path), 0o755);
  if (setup !== undefined) await shell(setupScript({ mark: MARK, base, setup }));
  return base;
}

const shell = (script: string) => {
  const path = join(folder, 'job.sh');
  writeFileSync(path, script);
  return execa('bash', [path], { cwd: workdir, env: { AUTORESEARCH_ROOT: folder }, reject: false });
};

async function runJob({
  base,
  tree,
  executable = ['go.sh'],
  name = 'exp-0001',
  run = 'true',
}: {
  base: Snapshot;
  tree: Tree;
  executable?: string[];
  name?: string;
  run?: string;
}) {
  const snapshot = await store().save(sources(tree, executable));
  const script = await runScript({ mark: MARK, base, snapshot, name, nonce: 'n0nce', run }, store());
  return { snapshot, ...(await shell(script)) };
}

const placeOf = (name: string): string => join(folder, MARK, 'experiments', name);
const read = (name: string, path: string): string => readFileSync(join(placeOf(name), path), 'utf8');
const treeOf = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
const said = (snapshot: Snapshot): string => `AUTORESEARCH_SNAPSHOT n0nce ${snapshot.hash}`;

describe("an experiment's job", () => {
  it('says first which code it runs, and runs the unchanged base', async () => {
    const base = await prepare();
    const { exitCode, stdout, stderr, snapshot } = await runJob({
      base,
      tree: BASE,
      run: 'echo started; cat train.py',
    });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([said(snapshot), 'started', 'print(1)']);
    expect(snapshot.hash).toBe(base.hash);
    expect(treeOf(placeOf('exp-0001'))).toEqual(Object.keys(BASE).sort());
  });

  it('has the files that changed, came and went, whatever their names', async () => {
    const base = await prepare({ setup: 'true' });
    const { 'lib/old.py': _gone, ...rest } = BASE;
    const tree = {
      ...rest,
      'train.py': 'é\r\nno newline',
      'lib/new/deep.py': 'new',
      'it\'s a "name" $HOME `x`.txt': 'changed',
      "a'b": '',
    };
    const { exitCode, stdout, snapshot } = await runJob({ base, tree });
    expect([exitCode, stdout]).toEqual([0, said(snapshot)]);
    expect(Object.fromEntries(treeOf(placeOf('exp-0001')).map((path) => [path, read('exp-0001', path)]))).toEqual(tree);
  });

  it('has files executable or not, as they are in the snapshot', async () => {
    const base = await prepare();
    const tree = { ...BASE, 'new.sh': '#!/bin/sh\necho new' };
    const run = 'for f in go.sh new.sh; do [ -x $f ] && echo $f; done; true';
    const { stdout, snapshot } = await runJob({ base, tree, executable: ['new.sh'], run });
    expect(stdout.split('\n')).toEqual([said(snapshot), 'new.sh']);
    const kept = await runJob({ base, tree: BASE, run: './go.sh' });
    expect(kept.stdout.split('\n')).toEqual([said(kept.snapshot), 'go']);
  });

  it('may have a folder where a file was, and a file where a folder was', async () => {
    const base = await prepare();
    const { 'lib/old.py': _old, 'train.py': _train, ...rest } = BASE;
    const { exitCode, stdout, snapshot } = await runJob({
      base,
      tree: { ...rest, lib: 'a file', 'train.py/x': 'a folder' },
    });
    expect([exitCode, stdout]).toEqual([0, said(snapshot)]);
  });

  it('may be long: hundreds of files, and one of a megabyte', async () => {
    const base = await prepare();
    const tree: Tree = { ...BASE, 'big.txt': Array.from({ length: 100_000 }, (_, n) => `${n * 7919}\n`).join('') };
    for (let n = 0; n < 400; n++) tree[`many/${'long'.repeat(20)}-${n}.py`] = '';
    const { exitCode, stdout, snapshot } = await runJob({ base, tree });
    expect([exitCode, stdout]).toEqual([0, said(snapshot)]);
  });

  it('ends as its run does, and its run is a script of its own', async () => {
    const base = await prepare();
    expect((await runJob({ base, tree: BASE, run: 'exit 7' })).exitCode).toBe(7);
    const { stdout, exitCode } = await runJob({ base, tree: BASE, run: `echo "it's $UNSET done"\necho 'a\\b' ä` });
    expect(stdout.split('\n').slice(1)).toEqual(["it's  done", 'a\\b ä']);
    expect(exitCode).toBe(0);
  });

  it('begins clean when it runs a second time, and sees no files of another', async () => {
    const base = await prepare({ setup: 'mkdir -p .venv' });
    await runJob({ base, tree: BASE, run: 'touch left; echo changed > train.py; mkdir -p out; echo x > out/y' });
    const other = await runJob({ base, tree: BASE, name: 'exp-0002', run: 'ls left out; cat train.py' });
    expect(other.stdout.split('\n').slice(1)).toEqual(['print(1)']);
    const again = await runJob({ base, tree: BASE, run: 'ls left out; cat train.py' });
    expect(again.stdout.split('\n')).toEqual([said(again.snapshot), 'print(1)']);
  });
});

describe('what setup left', () => {
  it('is seen from the experiment: folders, data beside tracked files, files; caches are not', async () => {
    const base = await prepare({
      setup:
        'mkdir -p .venv/bin data/more __pycache__ lib/__pycache__ && echo py > .venv/bin/python && echo d > data/made.bin && echo m > made.txt',
    });
    const { exitCode, stdout, snapshot } = await runJob({
      base,
      tree: BASE,
      run: 'cat .venv/bin/python data/made.bin made.txt data/tracked.txt; ls -d data/more',
    });
    expect([exitCode, stdout.split('\n')]).toEqual([0, [said(snapshot), 'py', 'd', 'm', 'trackeddata/more']]);
    expect(treeOf(placeOf('exp-0001')).filter((path) => path.includes('__pycache__'))).toEqual([]);
    expect(lstatSync(join(placeOf('exp-0001'), 'data/tracked.txt')).isSymbolicLink()).toBe(false);
  });

  it('does not bring back a file that the experiment removed, nor its folder', async () => {
    const base = await prepare({ setup: 'true' });
    const { 'lib/old.py': _gone, ...tree } = BASE;
    await runJob({ base, tree });
    expect(treeOf(placeOf('exp-0001'))).toEqual(Object.keys(tree).sort());
  });

  it('does not bring back what lies there from another base', async () => {
    await prepare({ tree: { ...BASE, 'package/old.py': 'old', 'package/sub/x.py': '' }, setup: 'touch package/made' });
    const base = await prepare({ setup: 'true' });
    await runJob({ base, tree: BASE });
    expect(treeOf(placeOf('exp-0001')).filter((path) => path.startsWith('package'))).toEqual(['package/made']);
  });

  it('never stands for a file of the snapshot, though setup changed it', async () => {
    const base = await prepare({ setup: 'echo changed > uv.lock; rm train.py' });
    const { exitCode, stdout, snapshot } = await runJob({ base, tree: BASE, run: 'cat uv.lock train.py' });
    expect([exitCode, stdout.split('\n')]).toEqual([0, [said(snapshot), 'lockedprint(1)']]);
    expect(readFileSync(join(workdir, 'uv.lock'), 'utf8')).toBe('changed\n');
  });

  it('may be more than one command line takes', async () => {
    const base = await prepare({ setup: 'for n in {1..1200}; do : > "data/made $n"; done' });
    const { stdout } = await runJob({ base, tree: BASE, run: 'ls data | wc -l' });
    expect(stdout.split('\n')[1]?.trim()).toBe('1201');
  });

  it('is made with none of our variables or options in sight', async () => {
    const setup = `echo "[\${root-}\${base-}\${kept-}]" > seen; false | true && echo "no pipefail" >> seen`;
    await prepare({ setup });
    expect(readFileSync(join(workdir, 'seen'), 'utf8')).toBe('[]\nno pipefail\n');
  });
});

describe('the wrong code', () => {
  it('is never run: a copy of the base that was changed ends the job, which says what it found', async () => {
    const base = await prepare({ setup: 'true' });
    writeFileSync(join(folder, MARK, 'bases', base.hash, 'train.py'), 'print(2)\n');
    const { exitCode, stdout, snapshot } = await runJob({ base, tree: BASE, run: 'touch ran; echo ran' });
    expect(exitCode).toBe(WRONG_CODE_EXIT);
    expect(stdout).toMatch(/^AUTORESEARCH_SNAPSHOT n0nce [0-9a-f]{64}$/);
    expect(stdout).not.toContain(snapshot.hash);
    expect(existsSync(join(placeOf('exp-0001'), 'ran'))).toBe(false);
  });

  it('is not kept as the base: a file that the cluster lacks is said, and the next job may find it', async () => {
    const base = await prepare();
    rmSync(join(workdir, 'train.py'));
    const { exitCode, stderr } = await runJob({ base, tree: BASE, run: 'echo ran' });
    expect(exitCode).toBe(WRONG_CODE_EXIT);
    expect(stderr).toContain('not all where the cluster was given them');
    write(workdir, BASE);
    expect((await runJob({ base, tree: BASE })).exitCode).toBe(0);
  });

  it('of a base without a file is found when setup begins, before it spends its time', async () => {
    const base = await prepare();
    rmSync(join(workdir, 'train.py'));
    const { exitCode } = await shell(setupScript({ mark: MARK, base, setup: 'touch began' }));
    expect([exitCode, existsSync(join(workdir, 'began'))]).toEqual([WRONG_CODE_EXIT, false]);
  });

  it('is not what two jobs get that start at once on a cluster without setup', async () => {
    const base = await prepare();
    const script = (name: string) =>
      runScript({ mark: MARK, base, snapshot: base, name, nonce: 'n', run: 'ls -A | wc -l' }, store());
    const scripts = await Promise.all(['exp-0001', 'exp-0002', 'exp-0003'].map(script));
    const jobs = scripts.map((text, index) => {
      writeFileSync(join(folder, `${index}.sh`), text);
      return execa('bash', [join(folder, `${index}.sh`)], {
        cwd: workdir,
        env: { AUTORESEARCH_ROOT: folder },
        reject: false,
      });
    });
    for (const { exitCode } of await Promise.all(jobs)) expect(exitCode).toBe(0);
    expect(treeOf(join(folder, MARK, 'bases', base.hash))).toEqual(Object.keys(BASE).sort());
  });
});
