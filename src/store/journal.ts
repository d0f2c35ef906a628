import { copyFile, open, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { z } from 'zod';

/** One change of a document: values by path, two levels deep (`["experiments", "exp-0003"]`), and paths that are gone. */
const Change = z.strictObject({
  at: z.number(),
  set: z.array(z.tuple([z.array(z.string()).min(1).max(2), z.unknown()])),
  gone: z.array(z.array(z.string()).min(1).max(2)),
});
export type Change = z.infer<typeof Change>;

type Plain = Record<string, unknown>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Every object has a `valueOf`, but not of its own. */
const own = (document: Plain, key: string): unknown => (Object.hasOwn(document, key) ? document[key] : undefined);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What leads from `before` to `after`; null when they are equal. A document that is new has `before` {}. */
export function changeBetween(before: Plain, after: Plain, at: number): Change | null {
  const change: Change = { at, set: [], gone: [] };
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [own(before, key), own(after, key)];
    if (same(old, now)) continue;
    if (now === undefined) change.gone.push([key]);
    else if (!isPlain(old) || !isPlain(now)) change.set.push([[key], now]);
    else {
      for (const inner of new Set([...Object.keys(old), ...Object.keys(now)])) {
        const value = own(now, inner);
        if (value === undefined) change.gone.push([key, inner]);
        else if (!same(own(old, inner), value)) change.set.push([[key, inner], value]);
      }
    }
  }
  return change.set.length + change.gone.length > 0 ? change : null;
}

export function applyChange(document: Plain, { set, gone }: Change): Plain {
  const result = structuredClone(document);
  const parentOf = ([key, inner]: readonly string[]): [Plain, string] | null => {
    if (key === undefined) return null;
    if (inner === undefined) return [result, key];
    const child = isPlain(result[key]) ? result[key] : {};
    result[key] = child;
    return [child, inner];
  };
  for (const [path, value] of set) {
    const [parent, key] = parentOf(path) ?? [];
    if (parent && key !== undefined) parent[key] = value;
  }
  for (const path of gone) {
    const [parent, key] = parentOf(path) ?? [];
    if (parent && key !== undefined) delete parent[key];
  }
  return result;
}

/** Appends and syncs to the disk before it returns where in the journal the change stands, in bytes. */
export async function appendToJournal(path: string, change: Change): Promise<{ start: number; end: number }> {
  const line = Buffer.from(`${JSON.stringify(change)}\n`);
  const file = await open(path, 'a');
  try {
    await file.appendFile(line);
    await file.datasync();
    const end = (await file.stat()).size;
    return { start: end - line.length, end };
  } finally {
    await file.close();
  }
}

/** Bytes in the journal; 0 when there is none. */
export const journalLength = async (path: string): Promise<number> => (await stat(path).catch(() => null))?.size ?? 0;

export interface Replay {
  readonly document: Plain;
  /** Where the last change ends that could be applied. */
  readonly bytes: number;
  /** A last line that was never finished is not a change. A finished one that cannot be read is damage. */
  readonly isDamaged: boolean;
}

/** Applies what the journal holds from byte `from` on, up to a line that is no change. */
export async function replayJournal(path: string, document: Plain, from = 0): Promise<Replay> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  let result = document;
  let end = from;
  for (let newline = bytes.indexOf(10, end); newline >= 0; newline = bytes.indexOf(10, end)) {
    const change = Change.safeParse(parseOrNull(bytes.toString('utf8', end, newline)));
    if (!change.success) return { document: result, bytes: end, isDamaged: true };
    result = applyChange(result, change.data);
    end = newline + 1;
  }
  return { document: result, bytes: end, isDamaged: false };
}

/** Drops a half-written last line, so that the next change does not stand behind it. */
export const trimJournal = (path: string, bytes: number): Promise<void> => truncate(path, bytes);

/** Begins anew with the whole document as its first change; returns the length. What stood there is kept as `aside`. */
export async function restartJournal(path: string, document: Plain, at: number, aside: string): Promise<number> {
  await copyFile(path, aside).catch(() => undefined); // there may be none
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  const set = Object.entries(document).map(([key, value]): [string[], unknown] => [[key], value]);
  const { end } = await appendToJournal(fresh, { at, set, gone: [] });
  await rename(fresh, path);
  return end;
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
