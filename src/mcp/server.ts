import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Lab } from '../lab/lab.js';
import { INSTRUCTIONS } from './instructions.js';

export interface ServerOptions {
  readonly version: string;
  /** Called for every request, so that a broken project file is the answer of a tool and not the end of the server. */
  readonly openLab: () => Promise<Lab>;
}

/**
 * The agents' face. What a request needs is imported when the first such request comes: `initialize` waits for none of it.
 * On the SDK's plain Server, because McpServer words the errors of bad arguments itself.
 */
export function createServer({ version, openLab }: ServerOptions): Server {
  const server = new Server(
    { name: 'autoresearch-mcp', title: 'Autoresearch', version },
    { capabilities: { tools: {}, resources: {}, prompts: {} }, instructions: INSTRUCTIONS },
  );

  server.setRequestHandler(ListToolsRequestSchema, async () => {
    const { listTools } = await import('./call-tool.js');
    return { tools: listTools() };
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, sendNotification }) => {
    const { callTool } = await import('./call-tool.js');
    const progressToken = params._meta?.progressToken;
    return callTool(openLab, params.name, params.arguments ?? {}, {
      signal,
      ask: server.getClientCapabilities()?.elicitation ? (question) => askPerson(server, question) : null,
      onProgress: (progress, total, message) => {
        if (progressToken === undefined) return;
        const notification = {
          method: 'notifications/progress' as const,
          params: { progressToken, progress, total, message },
        };
        // A client that has gone cannot be told how far it is; the call itself ends by its signal.
        sendNotification(notification).catch(() => undefined);
      },
    });
  });

  server.setRequestHandler(ListResourcesRequestSchema, async () => {
    const { RESOURCES } = await import('./resources.js');
    return { resources: RESOURCES.map(({ read: _, ...resource }) => resource) };
  });
  server.setRequestHandler(ListResourceTemplatesRequestSchema, async () => {
    const { RESOURCE_TEMPLATES } = await import('./resources.js');
    return { resourceTemplates: RESOURCE_TEMPLATES.map(({ read: _, ...template }) => template) };
  });
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }) => {
    const { readResource } = await import('./resources.js');
    const content = await inProtocolWords(async () => readResource(await openLab(), uri));
    return { contents: [{ uri, ...content }] };
  });

  server.setRequestHandler(ListPromptsRequestSchema, async () => {
    const { PROMPTS } = await import('./prompts.js');
    return { prompts: PROMPTS.map(({ text: _, ...prompt }) => ({ ...prompt, arguments: [...prompt.arguments] })) };
  });
  server.setRequestHandler(GetPromptRequestSchema, async ({ params }) => {
    const { promptText } = await import('./prompts.js');
    const { prompt, text } = await inProtocolWords(async () => promptText(params.name, params.arguments ?? {}));
    return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
  });
  return server;
}

/** Longest that a call waits for a person: clients cut it off after a minute. */
const LONGEST_QUESTION_MS = 30_000;

/** Yes or no; silence is no. */
async function askPerson(server: Server, message: string): Promise<boolean> {
  const form = { message, requestedSchema: { type: 'object' as const, properties: {} } };
  const answer = await server.elicitInput(form, { timeout: LONGEST_QUESTION_MS }).catch(() => null);
  return answer?.action === 'accept';
}

/** Resources and prompts have no error of their own in the protocol: ours travels as an invalid request's message. */
async function inProtocolWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { errorText } = await import('./respond.js');
    throw new McpError(ErrorCode.InvalidParams, errorText(error, null));
  }
}
