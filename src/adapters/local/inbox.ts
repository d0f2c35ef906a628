import { type FSWatcher, readdirSync, readFileSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { EnvironmentFile, TaskFile } from './cluster-files.js';
import { DOWN, environmentItem, inboxOf, numbersOf, taskItem } from './cluster-folder.js';

export interface News {
  /** New since the last look, in the order in which they came. */
  readonly environments: readonly EnvironmentFile[];
  readonly tasks: readonly { readonly number: number; readonly task: TaskFile }[];
  /** All that were ever asked for. */
  readonly cancelled: readonly number[];
  readonly down: boolean;
}

export interface Inbox {
  look(): News;
  /** Calls back when something may have come. */
  watch(onChange: () => void): void;
}

/** Where the system's watcher fails or is late (network folders), this is how late news may be. */
const POLL_MS = 200;
/** A change within the clock's tick of the last one leaves the folder's time as it was: for a while, look in any case. */
const RECENT_MS = 1000;

/** The runner's side of what is asked of a cluster. The files were checked by those who wrote them: no zod here. */
export function createInbox(folder: string): Inbox {
  const inbox = inboxOf(folder);
  let lastEnvironment = 0;
  let lastTask = 0;
  let lookedAt = 0;
  let watcher: FSWatcher | null = null;

  return {
    look() {
      lookedAt = changeTime(inbox);
      const items = readdirSync(inbox);
      const environments = numbersOf('environment', items).filter((number) => number > lastEnvironment);
      const tasks = numbersOf('task', items).filter((number) => number > lastTask);
      lastEnvironment = environments.at(-1) ?? lastEnvironment;
      lastTask = tasks.at(-1) ?? lastTask;
      return {
        environments: environments.map((number) =>
          JSON.parse(readFileSync(join(inbox, environmentItem(number)), 'utf8')),
        ),
        tasks: tasks.map((number) => ({
          number,
          task: JSON.parse(readFileSync(join(inbox, taskItem(number)), 'utf8')),
        })),
        cancelled: numbersOf('cancel', items),
        down: items.includes(DOWN),
      };
    },
    watch(onChange) {
      try {
        watcher = watch(inbox, onChange);
        watcher.on('error', () => watcher?.close());
      } catch {
        watcher = null; // the system has no watcher left to give; the poll does
      }
      setInterval(() => {
        const changedAt = changeTime(inbox);
        if (changedAt !== lookedAt || Date.now() - changedAt < RECENT_MS) onChange();
      }, POLL_MS);
    },
  };
}

/** 0 when the folder is gone, which is news as well. */
function changeTime(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
