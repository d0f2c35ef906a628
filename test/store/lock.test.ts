import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLease, createLock } from '../../src/store/lock.js';

const PROCESS = fileURLToPath(new URL('../fixtures/store-process.mjs', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autoresearch-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('lets one work at a time, within a process and over two locks on one folder', async () => {
  const locks = [createLock(folder, 'store'), createLock(folder, 'store')];
  let [inside, most, ended] = [0, 0, 0];
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 2));
    inside -= 1;
    ended += 1;
  };
  await Promise.all(Array.from({ length: 20 }, (_, n) => locks[n % 2]?.(work)));
  expect([most, ended]).toEqual([1, 20]);
});

it('is free again after work that threw, and hands on what work returns', async () => {
  const lock = createLock(folder, 'store');
  await expect(lock(async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await lock(async () => 7)).toBe(7);
});

/** Two real processes, for only a killed or a suspended one leaves a lock behind; both at once, for each takes seconds. */
it('passes on from a process that was killed or suspended, within the 5 s after which a silent holder counts as dead', async () => {
  const [killedAt, suspendedAt] = [join(folder, 'killed'), join(folder, 'suspended')];
  for (const directory of [killedAt, suspendedAt]) mkdirSync(directory);
  const start = async (directory: string) => {
    const child = execa('node', [PROCESS, 'hold', directory, '1000'], { reject: false });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return { child };
  };
  const [killed, suspended] = await Promise.all([start(killedAt), start(suspendedAt)]);
  killed.child.kill('SIGKILL');
  suspended.child.kill('SIGSTOP');
  const startedAt = performance.now();
  await Promise.all([killedAt, suspendedAt].map((directory) => createLock(directory, 'store')(async () => undefined)));
  expect(performance.now() - startedAt).toBeLessThan(8_000);
  suspended.child.kill('SIGCONT');
  // It finds its lock gone and must end well all the same: the library's own answer is an uncaught exception.
  expect(await suspended.child).toMatchObject({ exitCode: 0, stdout: 'held\nreleased' });
  expect(existsSync(join(suspendedAt, 'experiments', 'exp-0001', 'log.txt'))).toBe(true);
});

it('does not wait for a folder that is not there', async () => {
  await expect(createLock(join(folder, 'absent'), 'store')(async () => undefined)).rejects.toMatchObject({
    code: 'invalid_project',
    message: expect.stringContaining('absent cannot be locked'),
  });
});

it('leases to one holder at a time, who may ask again', async () => {
  const [one, other] = [createLease(folder), createLease(folder)];
  expect(await Promise.all([one.hold(), one.hold()])).toContain(true);
  expect(await one.hold()).toBe(true);
  expect(await other.hold()).toBe(false);
  await one.release();
  expect(await other.hold()).toBe(true);
  expect(await one.hold()).toBe(false);
  await other.release();
});

it('leases nothing where no state was ever written', async () => {
  expect(await createLease(join(folder, 'absent')).hold()).toBe(false);
});
