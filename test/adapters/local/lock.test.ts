import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withLock } from '../../../src/adapters/local/lock.js';
import { anotherProcess, temporaryFolder } from './workplace.js';

// Real processes: within one, nothing that a lock is for can happen.
describe('lock', () => {
  it('lets one process at a time read, change and write', async () => {
    const folder = await temporaryFolder();
    const lock = join(folder);
    const counter = join(folder, 'counter.txt');
    await writeFile(counter, '0');
    const code = `
      import { readFileSync, writeFileSync } from 'node:fs';
      const counter = ${JSON.stringify(counter)};
      const step = () => it.withLock(${JSON.stringify(lock)}, async () => {
        const count = Number(readFileSync(counter, 'utf8'));
        await new Promise(setImmediate);
        writeFileSync(counter, String(count + 1));
      });
      for (let i = 0; i < 25; i++) await Promise.all([step(), step()]);`;
    await Promise.all(Array.from({ length: 4 }, () => anotherProcess('lock.js', code).output));
    expect(await readFile(counter, 'utf8')).toBe('200');
  });

  it('passes over a holder that was killed, once', async () => {
    const folder = await temporaryFolder();
    const code = `await it.withLock(${JSON.stringify(folder)}, async () => {
      console.log('held');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
    const { child } = anotherProcess('lock.js', code);
    if (child.stdout) await once(child.stdout, 'data');
    let taken = 0;
    const others = Array.from({ length: 5 }, () =>
      withLock(folder, async () => {
        taken += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(taken).toBe(1);
        taken -= 1;
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(taken).toBe(0);
    child.kill('SIGKILL');
    await Promise.all(others);
  });

  it('is free again after work that throws', async () => {
    const folder = await temporaryFolder();
    await expect(withLock(folder, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(folder, async () => 'yes')).toBe('yes');
  });
});
