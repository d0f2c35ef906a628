import { writeAtomically } from './cluster-folder.js';

export interface StateWriter {
  save(path: string, value: unknown): void;
  /** Tries again what could not be written. */
  flush(): void;
}

/** What the runner has to say, kept until it could be written: a full disk delays the news of a job, it does not end the queue. */
export function createStateWriter(): StateWriter {
  const unwritten = new Map<string, string>();
  let complained = false;

  function flush(): void {
    for (const [path, text] of unwritten) {
      try {
        writeAtomically(path, text);
        unwritten.delete(path);
      } catch (error) {
        if (!complained) process.stderr.write(`${path} could not be written: ${error}\n`);
        complained = true;
      }
    }
  }

  return {
    save(path, value) {
      unwritten.set(path, typeof value === 'string' ? value : JSON.stringify(value));
      flush();
    },
    flush,
  };
}
