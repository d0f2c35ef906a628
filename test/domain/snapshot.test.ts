import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SnapshotHash } from '../../src/domain/ids.js';
import { byPath, deltaBetween, manifestText, type Snapshot, type SnapshotFile } from '../../src/domain/snapshot.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const file = (path: string, content = '', executable = false): SnapshotFile => ({
  path,
  sha256: sha256(content),
  executable,
});
const snapshotOf = (files: SnapshotFile[]): Snapshot => {
  const sorted = [...files].sort(byPath);
  return { hash: SnapshotHash.parse(sha256(manifestText(sorted))), files: sorted };
};

describe("a snapshot's hash", () => {
  // The real tools: on a cluster it is they that say which code runs.
  it('is what sha256sum says of what sha256sum says of the files, in the order of sort', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'autoresearch-test-'));
    const names = [
      'train.py',
      'Ä.py',
      'a b.txt',
      "it's.txt",
      'Z.py',
      '🦊',
      '\uffee.txt',
      'a.py',
      '-n',
      '$HOME `x` "q".txt',
    ];
    for (const name of names) await writeFile(join(folder, name), `content of ${name}`);
    const { stdout } = await execa(
      'bash',
      ['-c', "printf '%s\\0' * | LC_ALL=C sort -z | xargs -0 sha256sum -- | sha256sum | cut -c1-64"],
      { cwd: folder, env: { LC_ALL: 'C' } },
    );
    await rm(folder, { recursive: true });
    expect(snapshotOf(names.map((name) => file(name, `content of ${name}`))).hash).toBe(stdout);
  });

  it('is another when a file may be run: a script that was made executable is worth a second try', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'autoresearch-test-'));
    await writeFile(join(folder, 'go.sh'), 'x');
    await chmod(join(folder, 'go.sh'), 0o755);
    const { stdout } = await execa(
      'bash',
      ['-c', '{ sha256sum go.sh; echo "executable  go.sh"; } | sha256sum | cut -c1-64'],
      { cwd: folder },
    );
    await rm(folder, { recursive: true });
    expect(snapshotOf([file('go.sh', 'x', true)]).hash).toBe(stdout);
    expect(snapshotOf([file('go.sh', 'x', false)]).hash).not.toBe(stdout);
  });
});

describe('the difference of two snapshots', () => {
  const files = fc
    .dictionary(fc.constantFrom('a', 'b', 'c/d', 'c/e', 'ä'), fc.tuple(fc.constantFrom('1', '2'), fc.boolean()))
    .map((tree) =>
      snapshotOf(Object.entries(tree).map(([path, [content, executable]]) => file(path, content, executable))),
    );

  it('leads from the one to the other', () => {
    fc.assert(
      fc.property(files, files, (from, to) => {
        const { changed, removed } = deltaBetween(from, to);
        const tree = new Map(from.files.map((entry) => [entry.path, entry]));
        for (const { path } of removed) expect(tree.delete(path)).toBe(true);
        for (const entry of changed) tree.set(entry.path, entry);
        expect([...tree.values()].sort(byPath)).toEqual(to.files);
      }),
    );
  });

  it('is empty exactly when the hashes are equal', () => {
    fc.assert(
      fc.property(files, files, (from, to) => {
        const { changed, removed } = deltaBetween(from, to);
        expect(changed.length + removed.length === 0).toBe(from.hash === to.hash);
      }),
    );
  });
});
