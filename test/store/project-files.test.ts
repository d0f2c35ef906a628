import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProjectFiles } from '../../src/store/project-files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autoresearch-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}
const git = (...args: string[]) =>
  execa('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: folder });
const pathsOf = async (at = '', options = {}) =>
  (await readProjectFiles(join(folder, at), options)).map(({ path }) => path).sort();

describe('the files of a project', () => {
  it('are those that git tracks or would track, as they are now', async () => {
    write({
      '.gitignore': '*.log\nout/\n',
      'train.py': 'old',
      'run.log': '',
      'out/x': '',
      'tracked.log': '',
      'gone.py': '',
    });
    await git('init', '-q');
    await git('add', '-f', 'train.py', 'tracked.log', 'gone.py');
    await git('commit', '-qm', 'x');
    rmSync(join(folder, 'gone.py'));
    write({ 'train.py': 'new', 'untracked.py': '' });
    expect(await pathsOf()).toEqual(['.gitignore', 'tracked.log', 'train.py', 'untracked.py']);
    const train = (await readProjectFiles(folder)).find(({ path }) => path === 'train.py');
    expect(train).toEqual({ path: 'train.py', content: Buffer.from('new'), executable: false });
  });

  it('of a folder inside a repository are its own, by the rules above it too', async () => {
    write({ '.gitignore': '*.bin\n', 'outside.py': '', 'lab/train.py': '', 'lab/data/x.bin': '', 'lab/data/y.py': '' });
    await git('init', '-q');
    expect(await pathsOf('lab')).toEqual(['data/y.py', 'train.py']);
    expect(await pathsOf('lab', { ownRules: true })).toEqual(['data/x.bin', 'data/y.py', 'train.py']);
  });

  it('without a repository follow .gitignore all the same, and the folder stays as it is', async () => {
    write({
      '.gitignore': 'data/\n',
      'train.py': '',
      'data/x': '',
      'sub/.gitignore': '*.tmp\n',
      'sub/a.tmp': '',
      'sub/b.py': '',
    });
    expect(await pathsOf()).toEqual(['.gitignore', 'sub/.gitignore', 'sub/b.py', 'train.py']);
    expect(readdirSync(folder).sort()).toEqual(['.gitignore', 'data', 'sub', 'train.py']);
  });

  it('leave out what .skyignore names, by the letter, and our own state', async () => {
    write({
      '.skyignore': '# data\ndata/\n*.pt\n',
      'data/x': '',
      'Data/y': '',
      'a.pt': '',
      'train.py': '',
      '.autoresearch/x': '',
    });
    await git('init', '-q');
    await git('add', '-f', '.');
    expect(await pathsOf()).toEqual(['.skyignore', 'Data/y', 'train.py']);
  });

  it('may have any name but one with control characters or a backslash', async () => {
    const names = ['a b.py', 'ä 🦊.py', `it's "q" $HOME.py`, '-n.py', '#x', '*.py', '日/本.py'];
    write(Object.fromEntries(names.map((name) => [name, name])));
    expect(await pathsOf()).toEqual([...names].sort());
    for (const name of ['line\nbreak', 'back\\slash', 'tab\t']) {
      write({ [name]: '' });
      await expect(readProjectFiles(folder)).rejects.toMatchObject({
        code: 'invalid_project',
        message: expect.stringContaining(name),
      });
      rmSync(join(folder, name));
    }
  });

  it('may not have a name that is no UTF-8, which would be lost without a word', async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]), '');
    await expect(readProjectFiles(folder)).rejects.toMatchObject({ message: expect.stringContaining('is not UTF-8') });
  });

  it('know which of them are executable', async () => {
    write({ 'go.sh': '', 'train.py': '' });
    chmodSync(join(folder, 'go.sh'), 0o755);
    expect((await readProjectFiles(folder)).map(({ path, executable }) => [path, executable]).sort()).toEqual([
      ['go.sh', true],
      ['train.py', false],
    ]);
  });

  it('are what a link inside the project leads to', async () => {
    write({ 'real.py': 'content' });
    symlinkSync('real.py', join(folder, 'link.py'));
    const link = (await readProjectFiles(folder)).find(({ path }) => path === 'link.py');
    expect(link?.content.toString()).toBe('content');
  });

  it.each([
    ['out of the project', '/etc/hostname', 'leads out of the project'],
    ['nowhere', 'absent', 'leads out of the project or nowhere'],
    ['to a folder', 'sub', 'a link to a folder'],
  ])('are refused with a link that leads %s, which is named', async (_, target, words) => {
    write({ 'sub/x': '' });
    symlinkSync(target, join(folder, 'link'));
    await expect(readProjectFiles(folder)).rejects.toMatchObject({
      code: 'invalid_project',
      message: expect.stringMatching(new RegExp(`^link .*${words}`)),
      hint: 'Name it in .gitignore or .skyignore.',
    });
  });

  it('are refused with a repository inside, unless it is ignored', async () => {
    write({ 'train.py': '', 'nested/x.py': '' });
    await git('init', '-q');
    await execa('git', ['init', '-q'], { cwd: join(folder, 'nested') });
    await expect(readProjectFiles(folder)).rejects.toMatchObject({
      message: expect.stringContaining('a repository of its own'),
    });
    write({ '.skyignore': 'nested/\n' });
    expect(await pathsOf()).toEqual(['.skyignore', 'train.py']);
  });

  it('may be none', async () => {
    expect(await readProjectFiles(folder)).toEqual([]);
  });

  it('may be many', async () => {
    write(Object.fromEntries(Array.from({ length: 1_500 }, (_, n) => [`d/${n}.py`, `${n}`])));
    expect(await readProjectFiles(folder)).toHaveLength(1_500);
  });

  it('past 20 MB are refused, the largest named first', async () => {
    write({ 'train.py': '', 'small.bin': 'x'.repeat(2 << 20), 'large.bin': 'x'.repeat(19 << 20) });
    await expect(readProjectFiles(folder)).rejects.toMatchObject({
      code: 'too_large',
      message: expect.stringMatching(
        /would hold 21\.0 MB, more than 20\.0 MB\. Largest: large\.bin \(19\.0 MB\), small\.bin \(2\.0 MB\)/,
      ),
    });
  });

  it('cannot be read from a folder that is not there', async () => {
    await expect(readProjectFiles(join(folder, 'absent'))).rejects.toMatchObject({ code: 'invalid_project' });
  });
});
