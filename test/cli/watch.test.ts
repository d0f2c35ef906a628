import { expect, it, vi } from 'vitest';
import { watch } from '../../src/cli/inspect/watch.js';

it('prints anew where there is no terminal, until it is told to end', async () => {
  const leaving = new AbortController();
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  let screens = 0;
  const drawOnce = async () => {
    if (++screens === 3) leaving.abort();
    return `screen ${screens}`;
  };
  await watch(drawOnce, { intervalMs: 1, signal: leaving.signal });
  const printed = write.mock.calls.map(([text]) => text);
  write.mockRestore();
  expect(printed).toEqual(['screen 1\n', 'screen 2\n', 'screen 3\n']);
});
