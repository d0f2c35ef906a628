import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Lab } from '../lab/lab.js';
import { createServer } from './server.js';

export interface StdioOptions {
  readonly version: string;
  readonly openLab: () => Promise<Lab>;
  /** Gives back what other servers wait for. */
  readonly close: () => Promise<void>;
}

/** Longest time for the round under way to write down what it saw. Its jobs run on either way. */
const FAREWELL_MS = 1_000;

/**
 * Serves until stdin ends or a signal comes, and leaves within two seconds of it: neither the SDK nor Node does so by
 * itself while a timer lives.
 */
export async function serveStdio({ version, openLab, close }: StdioOptions): Promise<void> {
  const server = createServer({ version, openLab });
  const leaving = new AbortController();
  let polling: Promise<void> = Promise.resolve();
  const leave = async () => {
    if (leaving.signal.aborted) return;
    leaving.abort();
    const farewell = new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
    await Promise.race([polling, farewell]);
    await Promise.race([close(), farewell]);
    process.exit(0);
  };
  process.stdin.on('end', leave).on('close', leave);
  process.stdout.on('error', leave);
  process.on('SIGTERM', leave).on('SIGINT', leave).on('SIGHUP', leave);

  server.oninitialized = () => {
    polling = startPolling(openLab, leaving.signal);
  };
  await server.connect(new StdioServerTransport());
}

async function startPolling(openLab: () => Promise<Lab>, signal: AbortSignal): Promise<void> {
  const { poll } = await import('../lab/poller.js');
  await poll(openLab, signal, (error) => process.stderr.write(`autoresearch-mcp: ${String(error)}\n`));
}
