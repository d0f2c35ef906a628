import { describe, expect, it } from 'vitest';
import { type BackendUnderTest, Bench, type Promises } from './contract/bench.js';
import { ending } from './contract/ending.js';
import { launching } from './contract/launching.js';
import { running } from './contract/running.js';

const PROMISES: Promises = { ...launching, ...running, ...ending };

/** For one promise; what a slow backend needs on top comes with its scale. */
const TIMEOUT_MS = 30_000;

/**
 * What the prose of ClusterBackend promises, held by every backend. `lacks` names what one cannot promise, and why, by the
 * promise's title: such a test is not run, and its reason stands in the report.
 */
export function keepsClusterBackendContract({
  lacks = {},
  ...subject
}: BackendUnderTest & { readonly lacks?: Readonly<Record<string, string>> }): void {
  const test = subject.isConcurrent ? it.concurrent : it;
  describe('keeps the contract of ClusterBackend', () => {
    for (const [title, keep] of Object.entries(PROMISES)) {
      const reason = lacks[title];
      // One that is not concurrent would part those before it from those after it.
      if (reason !== undefined) test.skip(`${title} (lacking: ${reason})`);
      else {
        const options = { timeout: TIMEOUT_MS * (subject.scale ?? 1), retry: subject.retries ?? 0 };
        test(title, options, async () => await onBench(subject, keep));
      }
    }

    it('names no gap that is not a promise', () => {
      expect(Object.keys(lacks).filter((title) => !(title in PROMISES))).toEqual([]);
    });
  });
}

async function onBench(subject: BackendUnderTest, keep: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = await Bench.open(subject);
  try {
    await keep(bench);
  } finally {
    await bench.close();
  }
}
