import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  appendToJournal,
  applyChange,
  changeBetween,
  journalLength,
  replayJournal,
  restartJournal,
  trimJournal,
} from '../../src/store/journal.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autoresearch-test-'));
  path = join(folder, 'x.journal.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const key = fc.constantFrom('a', 'b', 'c', 'ä', 'exp-0001');
const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value) => JSON.stringify(value))
  .filter((text) => !text.includes('__proto__')) // zod drops it before it comes here
  .map((text): unknown => JSON.parse(text));
const document = fc.dictionary(key, fc.oneof(json, fc.dictionary(key, json)), { noNullPrototype: true });
const change = (n: number) => ({ at: n, set: [[['n'], n] satisfies [string[], unknown]], gone: [] });

describe('a change', () => {
  it('leads from one document to the other, and is nothing between equals', () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const difference = changeBetween(before, after, 1);
        expect(difference ? applyChange(before, difference) : before).toEqual(after);
        expect(changeBetween(after, structuredClone(after), 1)).toBeNull();
      }),
    );
  });

  it('names only what differs, two levels deep', () => {
    const before = { wave: { a: 1 }, experiments: { x: { v: 1 }, y: { v: 1 }, z: 1 } };
    const after = { wave: { a: 1 }, experiments: { x: { v: 2 }, y: { v: 1 } } };
    expect(changeBetween(before, after, 7)).toEqual({
      at: 7,
      set: [[['experiments', 'x'], { v: 2 }]],
      gone: [['experiments', 'z']],
    });
  });
});

describe('a journal', () => {
  it('replays to the document, from the start or from any change on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(document, { maxLength: 6 }), async (versions) => {
        rmSync(path, { force: true });
        let [before, end]: [Record<string, unknown>, number] = [{}, 0];
        for (const after of versions) {
          const difference = changeBetween(before, after, 1);
          if (difference) {
            const at = await appendToJournal(path, difference);
            expect(at.start).toBe(end);
            expect((await replayJournal(path, before, at.start)).document).toEqual(after);
            end = at.end;
          }
          before = after;
        }
        expect(await replayJournal(path, {})).toEqual({ document: before, bytes: end, isDamaged: false });
        expect(await journalLength(path)).toBe(end);
      }),
      { numRuns: 30 },
    );
  });

  it('is empty where there is none', async () => {
    expect(await replayJournal(path, { a: 1 })).toEqual({ document: { a: 1 }, bytes: 0, isDamaged: false });
    expect(await journalLength(path)).toBe(0);
  });

  it('leaves out a last line that was never finished, and can drop it', async () => {
    const { end } = await appendToJournal(path, change(1));
    appendFileSync(path, JSON.stringify(change(2)).slice(0, 20));
    expect(await replayJournal(path, {})).toEqual({ document: { n: 1 }, bytes: end, isDamaged: false });
    await trimJournal(path, end);
    await appendToJournal(path, change(3));
    expect((await replayJournal(path, {})).document).toEqual({ n: 3 });
  });

  it('stops at a finished line that is no change, and says so', async () => {
    const { end } = await appendToJournal(path, change(1));
    appendFileSync(path, '{"at":1,"set":"garbage"}\n');
    await appendToJournal(path, change(2));
    expect(await replayJournal(path, {})).toEqual({ document: { n: 1 }, bytes: end, isDamaged: true });
  });

  it('begins anew with the whole document, the old one kept aside', async () => {
    writeFileSync(path, 'garbage\n');
    const bytes = await restartJournal(path, { a: { b: 1 }, c: 2 }, 5, join(folder, 'aside'));
    expect(await replayJournal(path, {})).toEqual({ document: { a: { b: 1 }, c: 2 }, bytes, isDamaged: false });
    expect(readFileSync(join(folder, 'aside'), 'utf8')).toBe('garbage\n');
  });
});
