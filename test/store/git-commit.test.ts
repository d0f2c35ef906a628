import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { expect, it } from 'vitest';
import { assertCanCommit, commitFiles, uncommitted } from '../../src/store/git-commit.js';
import { temporaryProject } from '../support/test-lab.js';

/** A repository whose project is a folder of it, as examples are. */
function repository() {
  const root = temporaryProject({ 'project/train.py': 'A = 1\n' });
  const git = (...args: string[]) => execaSync('git', args, { cwd: root }).stdout;
  git('init', '--quiet');
  git('config', 'user.name', 'Researcher');
  git('config', 'user.email', 'researcher@example.org');
  return { root, project: join(root, 'project'), git };
}

it('commits in a project that is a folder of a repository, the first commit too', async () => {
  const { project, git } = repository();
  expect(await uncommitted(project, ['train.py'])).toEqual(['train.py']);
  const hash = await commitFiles(project, ['train.py'], 'keep exp-0002: ü\n\n# not a comment\n');
  expect(git('log', '--format=%H %s')).toBe(`${hash} keep exp-0002: ü`);
  expect(git('log', '-1', '--format=%b')).toBe('# not a comment\n');
  expect(git('show', '--name-only', '--format=')).toBe('project/train.py');
  expect(await uncommitted(project, ['train.py'])).toEqual([]);
});

it('commits a file that is gone, and a name that looks like a pattern as that file alone', async () => {
  const { project, git } = repository();
  for (const name of ['a1', 'a[1]', 'gone']) writeFileSync(join(project, name), 'x');
  git('add', '.');
  git('commit', '--quiet', '--message', 'start');
  for (const name of ['a1', 'a[1]']) writeFileSync(join(project, name), 'y');
  rmSync(join(project, 'gone'));
  expect((await uncommitted(project, ['a[1]', 'gone'])).sort()).toEqual(['a[1]', 'gone']);
  await commitFiles(project, ['a[1]', 'gone'], 'two');
  expect(git('show', '--name-status', '--format=')).toBe('M\tproject/a[1]\nD\tproject/gone');
  expect(git('status', '--porcelain')).toBe(' M project/a1');
});

it('refuses where anything is staged anywhere in the repository, and where there is none', async () => {
  const { root, project, git } = repository();
  await assertCanCommit(project);
  mkdirSync(join(root, 'other'));
  writeFileSync(join(root, 'other', 'mine.txt'), 'x');
  git('add', 'other');
  await expect(assertCanCommit(project)).rejects.toThrow('mine.txt');
  await expect(assertCanCommit(temporaryProject())).rejects.toThrow('no git repository');
});

it('leaves the index as it was when git refuses', async () => {
  const { project, git } = repository();
  git('config', 'user.email', '');
  git('config', 'user.name', '');
  await expect(commitFiles(project, ['train.py'], 'x')).rejects.toThrow('git made no commit');
  expect(git('ls-files')).toBe('');
});
