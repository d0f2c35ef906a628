import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { z } from 'zod';
import { AutoresearchError } from '../../domain/errors.js';

/** Above the 50 s that a waiting tool may take. */
const CALL_TIMEOUT_MS = 90_000;

const Content = z.array(z.looseObject({ type: z.string(), text: z.string().optional() }));

export interface DemoClient {
  readonly version: string;
  readonly tools: readonly string[];
  /** @throws backend_failed with the server's words when the tool answers with an error */
  call<Output>(name: string, args: object, output: z.ZodType<Output>, options?: CallOptions): Promise<Called<Output>>;
  /** Ends the server. */
  close(): Promise<void>;
}

interface CallOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (ended: number, total: number) => void;
}

interface Called<Output> {
  readonly text: string;
  readonly output: Output;
}

/** The server as an agent's client starts it: a process of its own, spoken to over its stdin and stdout. */
export async function startServer(command: readonly [string, ...string[]], path: string): Promise<DemoClient> {
  const [file, ...args] = command;
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  const env = { ...Object.fromEntries(inherited), PATH: path };
  const client = new Client({ name: 'autoresearch-demo', version: '1' });
  await client.connect(new StdioClientTransport({ command: file, args, env, stderr: 'inherit' }));
  const { tools } = await client.listTools();
  return {
    version: client.getServerVersion()?.version ?? '',
    tools: tools.map(({ name }) => name),
    async call(name, input, output, options) {
      const answer = await client.callTool({ name, arguments: { ...input } }, undefined, {
        timeout: CALL_TIMEOUT_MS,
        ...(options ? { signal: options.signal } : {}),
        onprogress: ({ progress, total }) => options?.onProgress?.(progress, total ?? progress),
      });
      const text = Content.parse(answer.content)
        .flatMap((item) => item.text ?? [])
        .join(' ');
      if (answer.isError === true) {
        throw new AutoresearchError(
          'backend_failed',
          `${name} answered: ${text}`,
          'Mend that, and run the demo again.',
        );
      }
      return { text, output: output.parse(answer.structuredContent) };
    },
    close: () => client.close(),
  };
}
