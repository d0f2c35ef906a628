import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

export const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));

export interface ServerProcess {
  readonly client: Client;
  readonly pid: number;
}

/**
 * The built server as a client starts it, over stdio.
 * @param answer what a person says to its questions; without it the client cannot ask any
 */
export async function startServer(
  project: string,
  answer?: (question: string) => Promise<boolean>,
): Promise<ServerProcess> {
  if (!existsSync(BIN)) throw new Error('Nothing is built: npm run build.');
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BIN, '--project', project],
    env: Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => !!entry[1])),
    stderr: 'pipe',
  });
  const client = new Client({ name: 'test', version: '0' }, { capabilities: answer ? { elicitation: {} } : {} });
  if (answer) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({
      action: (await answer(params.message)) ? 'accept' : 'decline',
    }));
  }
  await client.connect(transport);
  if (transport.pid === null) throw new Error('The server has no pid.');
  return { client, pid: transport.pid };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

export async function secondsUntilGone(pid: number): Promise<number> {
  const startedAt = performance.now();
  while (isAlive(pid) && performance.now() - startedAt < 10_000) await sleep(20);
  return (performance.now() - startedAt) / 1000;
}
