import { statSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { Low } from 'lowdb';
import { JSONFile } from 'lowdb/node';
import { z } from 'zod';
import { AutoresearchError } from '../domain/errors.js';
import {
  appendToJournal,
  changeBetween,
  journalLength,
  replayJournal,
  restartJournal,
  trimJournal,
} from './journal.js';

/** `journalBytes`: how much of the journal the data holds; a longer journal has changes that a killed server never wrote. */
const Envelope = z.strictObject({ version: z.literal(1), journalBytes: z.number().int(), data: z.unknown() });
type Envelope = z.infer<typeof Envelope>;

interface Cached<T> {
  readonly stamp: string;
  readonly journalBytes: number;
  readonly data: T;
}

/**
 * One lowdb file and its journal. The journal is written and synced first, so it always knows at least as much as the
 * file, which can be rebuilt from it. `update` must run under the store's lock; `read` needs none, for the file is replaced
 * by rename.
 */
export class Document<T extends Record<string, unknown>> {
  readonly #journal: string;
  #cached: Cached<T> | null = null;

  constructor(
    readonly path: string,
    private readonly schema: z.ZodType<T>,
    private readonly now: () => number,
  ) {
    this.#journal = path.replace(/\.json$/, '.journal.jsonl');
  }

  /** The data as last written; null when there is no such document. Not to be changed: it is shared with other readers. */
  async read(): Promise<T | null> {
    return (await this.#load())?.data ?? null;
  }

  /**
   * Reads, lets `change` alter a copy, checks it against the schema, writes it if it differs. Nothing is written when `change`
   * throws. A damaged file is kept aside under a name of its own and rebuilt first.
   */
  async update(create: () => T, change: (data: T) => void): Promise<T> {
    const loaded = await this.#loadAndRepair();
    const before = loaded?.data ?? null;
    const draft = before ? structuredClone(before) : create();
    change(draft);
    const after = this.schema.parse(draft);
    const entry = changeBetween(before ?? {}, after, this.now());
    if (!entry) return after;
    const { start, end } = await appendToJournal(this.#journal, entry);
    if (start === (loaded?.journalBytes ?? 0)) {
      await this.#write({ version: 1, journalBytes: end, data: after });
      return after;
    }
    // The lock was taken over while this process was suspended: the journal has the changes of both.
    return (await this.#loadAndRepair())?.data ?? after;
  }

  async #write(envelope: Envelope): Promise<void> {
    // Not JSONFilePreset: that one keeps everything in memory when NODE_ENV is "test".
    const low = new Low<Envelope>(new JSONFile(this.path), envelope);
    await low.write();
    this.#cached = null;
  }

  async #load(): Promise<Cached<T> | null> {
    const stamp = stampOf(this.path, this.#journal);
    if (stamp === null) return this.#rebuilt('absent');
    if (this.#cached?.stamp === stamp) return this.#cached;
    const envelope = Envelope.safeParse(parseJson(await readFile(this.path, 'utf8')));
    const data = envelope.success ? this.schema.safeParse(envelope.data.data) : null;
    if (!envelope.success || !data?.success) return this.#rebuilt('damaged');
    this.#cached = { stamp, journalBytes: envelope.data.journalBytes, data: data.data };
    return this.#cached;
  }

  /** From the journal alone, in memory: what a reader sees while nobody has repaired the file. */
  async #rebuilt(state: 'absent' | 'damaged'): Promise<Cached<T> | null> {
    const { document, bytes, isDamaged } = await replayJournal(this.#journal, {});
    if (state === 'absent' && bytes === 0 && !isDamaged) return null; // no change was ever finished
    const data = this.schema.safeParse(document);
    if (data.success && !isDamaged) return { stamp: state, journalBytes: bytes, data: data.data };
    throw new AutoresearchError(
      'state_damaged',
      `${this.path} is ${state === 'absent' ? 'missing' : 'damaged'}, and its journal ${this.#journal} cannot rebuild it.`,
      'Nothing was overwritten. Restore the file from a backup, or move both files away to go on without it.',
      { cause: data.error },
    );
  }

  async #loadAndRepair(): Promise<Cached<T> | null> {
    const loaded = await this.#load();
    const length = await journalLength(this.#journal);
    if (!loaded) {
      if (length > 0) await trimJournal(this.#journal, 0);
      return null;
    }
    const isFile = loaded.stamp !== 'absent' && loaded.stamp !== 'damaged';
    if (isFile && length === loaded.journalBytes) return loaded;
    // Behind what was loaded: changes that were journalled by a server that died before it wrote them.
    const { document, bytes, isDamaged } = await replayJournal(this.#journal, loaded.data, loaded.journalBytes);
    const data = this.schema.parse(document);
    let journalBytes = bytes;
    if (isDamaged || bytes > length) {
      // The file is whole and its journal is not, or is gone: from the file it begins anew.
      journalBytes = await restartJournal(this.#journal, data, this.now(), `${this.#journal}.damaged-${this.now()}`);
    } else if (bytes < length) await trimJournal(this.#journal, bytes);
    if (loaded.stamp === 'damaged') await copyFile(this.path, `${this.path}.damaged-${this.now()}`);
    await this.#write({ version: 1, journalBytes, data });
    return this.#load();
  }
}

/** Changes with every write: a rename gives a new inode, which may have been used before, but a journal only grows. */
function stampOf(path: string, journal: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  const journalBytes = statSync(journal, { throwIfNoEntry: false })?.size ?? 0;
  return stats ? `${stats.ino}-${stats.mtimeNs}-${stats.size}-${journalBytes}` : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
