import { Presets, SingleBar } from 'cli-progress';
import { duration } from '../inspect/quantities.js';

export interface Progress {
  update(ended: number): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a line for each step. */
export function startProgress(total: number): Progress {
  const startedAt = Date.now();
  if (!process.stdout.isTTY) {
    let last = -1;
    return {
      update(ended) {
        if (ended !== last)
          process.stdout.write(`   ${ended} of ${total} ended, ${duration((Date.now() - startedAt) / 1000)}\n`);
        last = ended;
      },
      stop: () => undefined,
    };
  }
  const bar = new SingleBar(
    { format: '   {bar} {value} of {total} ended, {duration} s', barsize: 36, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  const clock = setInterval(() => bar.updateETA(), 1_000);
  return {
    update: (ended) => bar.update(ended),
    stop() {
      clearInterval(clock);
      bar.stop();
    },
  };
}
