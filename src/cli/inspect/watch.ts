import { stripVTControlCharacters } from 'node:util';

const HOME_AND_CLEAR = '\u001b[H\u001b[J';

/** Draws anew until the signal: in place on a terminal, one after the other elsewhere. */
export async function watch(
  drawOnce: () => Promise<string>,
  { intervalMs, signal }: { intervalMs: number; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const screen = await drawOnce();
    const now = new Date().toLocaleTimeString('en-GB');
    const text = process.stdout.isTTY
      ? `${HOME_AND_CLEAR}${fitted(`${screen}\n${now}, every ${intervalMs / 1000} s; Ctrl-C ends`)}`
      : `${screen}\n`;
    process.stdout.write(text);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, intervalMs);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** What is larger than the terminal would scroll, and be drawn in the wrong place the next time. */
function fitted(screen: string): string {
  const { columns, rows } = process.stdout;
  if (!columns || !rows) return screen; // a terminal that does not say how large it is
  const lines = screen.split('\n').flatMap((line) => {
    const width = stripVTControlCharacters(line).length;
    return width <= columns ? [line] : [stripVTControlCharacters(line).slice(0, columns)];
  });
  const hidden = lines.length - rows;
  return hidden <= 0
    ? lines.join('\n')
    : [...lines.slice(0, rows - 2), `… ${hidden + 2} more lines`, lines.at(-1)].join('\n');
}
