import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotHash } from '../../src/domain/ids.js';
import { openSnapshots, type SourceFile } from '../../src/store/snapshots.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autoresearch-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => openSnapshots(folder);
const file = (path: string, content: string | Buffer, executable = false): SourceFile => ({
  path,
  content: Buffer.from(content),
  executable,
});
const treeOf = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
const objects = (): string[] => treeOf(join(folder, 'objects'));

describe('a snapshot', () => {
  it('is the same whatever the order of its files, and keeps equal content once', async () => {
    const files = [file('b.py', 'same'), file('a/x.py', 'same'), file('a.py', 'other')];
    const one = await open().save(files);
    const other = await open().save([...files].reverse());
    expect(other).toEqual(one);
    expect(one.files.map(({ path }) => path)).toEqual(['a.py', 'a/x.py', 'b.py']);
    expect(objects()).toHaveLength(2);
    expect(await open().load(one.hash)).toEqual(one);
  });

  it('of no files has a hash too', async () => {
    const empty = await open().save([]);
    expect((await open().load(empty.hash)).files).toEqual([]);
    expect(readdirSync(await open().materialise(empty))).toEqual([]);
  });

  it('saved by several at once is whole', async () => {
    const files = Array.from({ length: 20 }, (_, n) => file(`f${n}.py`, `content ${n % 5}`));
    const saved = await Promise.all(Array.from({ length: 6 }, () => open().save(files)));
    expect(new Set(saved.map(({ hash }) => hash)).size).toBe(1);
    expect(objects()).toHaveLength(5);
    const folders = await Promise.all(saved.map((snapshot) => open().materialise(snapshot)));
    expect(new Set(folders).size).toBe(1);
    expect(treeOf(folders[0] ?? '')).toHaveLength(20);
    expect(readdirSync(join(folder, 'folders'))).toHaveLength(1);
  });

  it('becomes a folder with its files, their bytes and their executable bit, and nothing else', async () => {
    const bytes = Buffer.from([0, 255, 13, 10]);
    const store = open();
    const at = await store.materialise(await store.save([file('data/ä "q".bin', bytes), file('run me.sh', 'x', true)]));
    expect(treeOf(at)).toEqual(['data/ä "q".bin', 'run me.sh']);
    expect(readFileSync(join(at, 'data/ä "q".bin')).equals(bytes)).toBe(true);
    expect(statSync(join(at, 'run me.sh')).mode & 0o111).toBe(0o111);
    expect(statSync(join(at, 'data/ä "q".bin')).mode & 0o111).toBe(0);
  });

  it('is another when only the executable bit differs', async () => {
    const store = open();
    const [not, is] = [await store.save([file('go.sh', 'x')]), await store.save([file('go.sh', 'x', true)])];
    expect(is.hash).not.toBe(not.hash);
    expect((await open().load(is.hash)).files[0]?.executable).toBe(true);
    expect(await store.diff(not.hash, is.hash)).toBe('Mode of go.sh: not executable before, executable now\n');
  });

  it('is mended by the next save where a power cut left files empty', async () => {
    const saved = await open().save([file('a.py', 'content')]);
    for (const name of objects()) writeFileSync(join(folder, 'objects', name), '');
    writeFileSync(join(folder, 'trees', `${saved.hash}.json`), '');
    await expect(open().load(saved.hash)).rejects.toMatchObject({
      code: 'state_damaged',
      message: expect.stringContaining(saved.hash),
    });
    await open().save([file('a.py', 'content')]);
    const [only] = (await open().load(saved.hash)).files;
    expect(only && (await open().content(only)).toString()).toBe('content');
  });

  it('that cannot be written is an error that says why', async () => {
    writeFileSync(join(folder, 'objects'), 'a file in the place of the folder');
    await expect(open().save([file('a.py', 'x')])).rejects.toMatchObject({
      code: 'invalid_project',
      message: expect.stringMatching(/cannot be written: E.*objects/),
    });
  });

  it('that was never saved is an error that names it', async () => {
    await expect(open().load(SnapshotHash.parse('0'.repeat(64)))).rejects.toMatchObject({ code: 'state_damaged' });
  });
});

describe('a diff', () => {
  const diff = async (before: SourceFile[], after: SourceFile[]) => {
    const store = open();
    return store.diff((await store.save(before)).hash, (await store.save(after)).hash);
  };

  it('shows what changed, came and went, in order', async () => {
    const before = [file('train.py', 'a = 1\nb = 2\n'), file('old.py', 'x\n'), file('same.py', 's\n')];
    const after = [file('train.py', 'a = 1\nb = 3\n'), file('new.py', 'y\n'), file('same.py', 's\n')];
    expect(await diff(before, after)).toMatchInlineSnapshot(`
      "--- /dev/null
      +++ b/new.py
      @@ -0,0 +1,1 @@
      +y
      --- a/old.py
      +++ /dev/null
      @@ -1,1 +0,0 @@
      -x
      --- a/train.py
      +++ b/train.py
      @@ -1,2 +1,2 @@
       a = 1
      -b = 2
      +b = 3
      "
    `);
  });

  it('is empty between equals', async () => {
    expect(await diff([file('a', 'x')], [file('a', 'x')])).toBe('');
  });

  it('names files that are no text, and only those', async () => {
    expect(await diff([file('w.bin', 'a\0b')], [file('w.bin', 'a\0c')])).toBe(
      'Binary files a/w.bin and b/w.bin differ\n',
    );
  });

  it('keeps line ends as they are', async () => {
    expect(await diff([file('a.txt', 'x\r\ny\r\n')], [file('a.txt', 'x\r\nz\r\n')])).toContain('-y\r\n+z\r\n');
  });

  it('of two long files with nothing in common does not hold the server', async () => {
    const lines = (mark: string) => Array.from({ length: 60_000 }, (_, n) => `${mark} ${n}\n`).join('');
    const startedAt = performance.now();
    const text = await diff([file('a.txt', lines('a'))], [file('a.txt', lines('b'))]);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(text).toMatch(/a\.txt/);
  });
});
