import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Lab } from '../../src/lab/lab.js';
import { createServer } from '../../src/mcp/server.js';

/** What a person does with a question. */
export type Person = (question: string) => 'accept' | 'decline' | 'cancel';

/** A real client and our server on the SDK's in-memory transport. Without a person the client cannot ask anybody. */
export async function connectClient(openLab: () => Promise<Lab>, person?: Person): Promise<Client> {
  const [here, there] = InMemoryTransport.createLinkedPair();
  const server = createServer({ version: '0.0.0', openLab });
  const client = new Client({ name: 'test', version: '0.0.0' }, { capabilities: person ? { elicitation: {} } : {} });
  if (person) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({ action: person(params.message) }));
  }
  await Promise.all([server.connect(there), client.connect(here)]);
  return client;
}

/** The answer's text and structured content with its links, or the text of the error. */
export async function callTool(client: Client, name: string, args: Record<string, unknown>) {
  const { content, structuredContent, isError } = await client.callTool({ name, arguments: args });
  const [first, ...links] = Array.isArray(content) ? content : [];
  const none: { text?: string; structured?: unknown; error?: string; links?: unknown[] } = {};
  if (isError === true) return { ...none, error: String(first?.text) };
  return { ...none, text: String(first?.text), structured: structuredContent, ...(links.length > 0 ? { links } : {}) };
}
