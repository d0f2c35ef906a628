import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { changeTree } from '../../src/store/project-tree.js';
import { temporaryProject } from '../support/test-lab.js';

const file = (path: string, text: string, executable = false) => ({ path, executable, content: Buffer.from(text) });

function folder() {
  const root = temporaryProject({ 'a.py': 'old a', 'b.py': 'old b' });
  return { root, read: (path: string) => readFileSync(join(root, path), 'utf8') };
}

it('changes, adds and removes files, and takes all of it back', async () => {
  const { root, read } = folder();
  const undo = await changeTree(root, [
    { path: 'a.py', before: file('a.py', 'old a'), after: file('a.py', 'new a', true) },
    { path: 'deep/c.py', before: null, after: file('deep/c.py', 'new c') },
    { path: 'b.py', before: file('b.py', 'old b'), after: null },
  ]);
  expect([read('a.py'), read('deep/c.py')]).toEqual(['new a', 'new c']);
  expect(statSync(join(root, 'a.py')).mode & 0o100).toBe(0o100);
  expect(readdirSync(root)).not.toContain('b.py');
  await undo();
  expect([read('a.py'), read('b.py')]).toEqual(['old a', 'old b']);
  expect(statSync(join(root, 'a.py')).mode & 0o100).toBe(0);
  expect(readdirSync(join(root, 'deep'))).toEqual([]);
});

it('changes nothing at all where one file cannot be written, and leaves nothing behind', async () => {
  const { root, read } = folder();
  mkdirSync(join(root, 'taken'));
  const before = readdirSync(root);
  const changes = [
    { path: 'a.py', before: file('a.py', 'old a'), after: file('a.py', 'new a') },
    { path: 'taken', before: null, after: file('taken', 'a folder stands here') },
  ];
  await expect(changeTree(root, changes)).rejects.toThrow('cannot be changed');
  expect(read('a.py')).toBe('old a');
  expect(readdirSync(root)).toEqual(before);
});

it('writes through a link inside the project, which stays one', async () => {
  const { root, read } = folder();
  symlinkSync('a.py', join(root, 'link.py'));
  await changeTree(root, [{ path: 'link.py', before: file('link.py', 'old a'), after: file('link.py', 'new') }]);
  expect(read('a.py')).toBe('new');
  expect(
    readdirSync(root, { withFileTypes: true })
      .find(({ name }) => name === 'link.py')
      ?.isSymbolicLink(),
  ).toBe(true);
});
