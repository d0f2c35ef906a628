import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Document } from '../../src/store/document.js';
import { appendToJournal } from '../../src/store/journal.js';

const Data = z.strictObject({ count: z.number(), items: z.record(z.string(), z.string()) });
type Data = z.infer<typeof Data>;

let folder: string;
let path: string;
let journal: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autoresearch-test-'));
  path = join(folder, 'wave-001.json');
  journal = join(folder, 'wave-001.journal.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => new Document<Data>(path, Data, () => 77);
const empty = (): Data => ({ count: 0, items: {} });
const add = (document: Document<Data>, name: string) =>
  document.update(empty, (data) => {
    data.count += 1;
    data.items[name] = `is ${name}`;
  });
const TWO: Data = { count: 2, items: { a: 'is a', b: 'is b' } };
const THREE: Data = { count: 3, items: { ...TWO.items, c: 'is c' } };
const written = async () => {
  await add(open(), 'a');
  await add(open(), 'b');
};

describe('a document', () => {
  it('is null before its first write, and then what was written', async () => {
    expect(await open().read()).toBeNull();
    await written();
    expect(await open().read()).toEqual(TWO);
  });

  it('is on the disk though NODE_ENV is test, where lowdb has a preset that stays in memory', async () => {
    expect(process.env['NODE_ENV']).toBe('test');
    await written();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: 1, data: TWO });
  });

  it('is not written when nothing changes, or when the change throws or breaks the schema', async () => {
    const document = open();
    await add(document, 'a');
    const before = [readFileSync(path, 'utf8'), readFileSync(journal, 'utf8')];
    await document.update(empty, () => undefined);
    const failing = document.update(empty, (data) => {
      data.count = 99;
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await expect(document.update(empty, (data) => void Object.assign(data, { count: Number.NaN }))).rejects.toThrow();
    expect([readFileSync(path, 'utf8'), readFileSync(journal, 'utf8')]).toEqual(before);
    expect((await document.read())?.count).toBe(1);
  });

  it('is seen at once by a second reader that had read before', async () => {
    const [one, other] = [open(), open()];
    await add(one, 'a');
    expect((await other.read())?.count).toBe(1);
    await add(one, 'b');
    expect(await other.read()).toEqual(TWO);
    await add(other, 'c');
    expect(await one.read()).toEqual(THREE);
  });
});

describe('a damaged file', () => {
  it.each([
    ['cut off', (text: string) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['garbage', () => '\u0000\u0000not json'],
    ['JSON with a field of another type', (text: string) => text.replace('"count": 2', '"count": "two"')],
    ['JSON with a field that we do not know', (text: string) => text.replace('"count"', '"amount": 1, "count"')],
  ])('that is %s is read from its journal, kept aside at the next write, and lost nothing', async (_, damage) => {
    await written();
    const damaged = damage(readFileSync(path, 'utf8'));
    writeFileSync(path, damaged);
    expect(await open().read()).toEqual(TWO);
    expect(readFileSync(path, 'utf8')).toBe(damaged);
    expect(await add(open(), 'c')).toEqual(THREE);
    expect(readFileSync(`${path}.damaged-77`, 'utf8')).toBe(damaged);
    expect(await open().read()).toEqual(THREE);
  });

  it('that is gone is rebuilt', async () => {
    await written();
    rmSync(path);
    expect(await open().read()).toEqual(TWO);
    expect(await add(open(), 'c')).toEqual(THREE);
    expect(existsSync(path)).toBe(true);
  });
});

describe('a server that was killed', () => {
  it('while it wrote the journal leaves half a line, which is dropped', async () => {
    await written();
    appendFileSync(journal, '{"at":77,"set":[[["cou');
    expect(await open().read()).toEqual(TWO);
    expect(await add(open(), 'c')).toEqual(THREE);
    rmSync(path);
    expect(await open().read()).toEqual(THREE);
  });

  it('while it wrote the first line of all leaves nothing, and what comes after can be rebuilt', async () => {
    writeFileSync(journal, '{"at":77,"set":[[["cou');
    expect(await open().read()).toBeNull();
    await written();
    rmSync(path);
    expect(await open().read()).toEqual(TWO);
  });

  it('between the journal and the file leaves a change that the next write brings back', async () => {
    await written();
    await appendToJournal(journal, {
      at: 77,
      set: [
        [['items', 'c'], 'is c'],
        [['count'], 3],
      ],
      gone: [],
    });
    expect(await open().update(empty, () => undefined)).toEqual(THREE);
    expect(await open().read()).toEqual(THREE);
  });
});

describe('a damaged journal', () => {
  it.each([
    ['is gone', () => rmSync(journal)],
    ['was cut off', () => truncateSync(journal, 30)],
    ['has garbage at its end', () => appendFileSync(journal, 'garbage\n')],
  ])('that %s begins anew from the whole file, which can then be rebuilt from it', async (_, damage) => {
    await written();
    damage();
    const left = existsSync(journal) ? readFileSync(journal, 'utf8') : null;
    expect(await add(open(), 'c')).toEqual(THREE);
    if (left !== null) expect(readFileSync(`${journal}.damaged-77`, 'utf8')).toBe(left);
    writeFileSync(path, '');
    expect(await open().read()).toEqual(THREE);
  });

  it('with a damaged file is an error that names both, and nothing is overwritten', async () => {
    await written();
    for (const file of ['garbage', null]) {
      if (file === null) rmSync(path);
      else writeFileSync(path, file);
      const lines = readFileSync(journal, 'utf8').split('\n');
      writeFileSync(journal, ['garbage', ...lines.slice(1)].join('\n'));
      const before = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
      const error = {
        code: 'state_damaged',
        message: expect.stringMatching(/wave-001\.json .*wave-001\.journal\.jsonl/),
      };
      await expect(open().read()).rejects.toMatchObject(error);
      await expect(add(open(), 'c')).rejects.toMatchObject(error);
      expect(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])).toEqual(before);
    }
  });

  it('in its middle never gives an older state for the newest', async () => {
    await written();
    const [first, second] = readFileSync(journal, 'utf8').split('\n');
    writeFileSync(journal, `${first}\ngarbage\n${second}\n`);
    writeFileSync(path, '');
    await expect(open().read()).rejects.toMatchObject({ code: 'state_damaged' });
  });
});

it('keeps the changes of both when a lock was taken over from a writer that was suspended', async () => {
  await written();
  const suspended = open();
  await suspended.update(empty, (data) => {
    data.items['mine'] = 'first';
    // What a second process would do meanwhile, before the first goes on to write.
    const line = JSON.stringify({ at: 77, set: [[['items', 'theirs'], 'second']], gone: [] });
    appendFileSync(journal, `${line}\n`);
  });
  expect(await open().read()).toEqual({ count: 2, items: { ...TWO.items, mine: 'first', theirs: 'second' } });
});
