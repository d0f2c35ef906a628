import type { CallToolResult, Tool as ListedTool } from '@modelcontextprotocol/sdk/types.js';
import { AutoresearchError } from '../domain/errors.js';
import { listed, nearestFirst } from '../domain/suggest.js';
import type { Lab } from '../lab/lab.js';
import type { Call } from './define-tool.js';
import { coerced, jsonSchemaOf } from './json-schema.js';
import { offerStart } from './offer-start.js';
import { respond, respondToError } from './respond.js';
import { TOOLS } from './tools/index.js';

export const listTools = (): ListedTool[] =>
  TOOLS.map(({ name, title, description, annotations, input, output }) => ({
    name,
    title,
    description,
    annotations,
    inputSchema: jsonSchemaOf(input, 'input'),
    outputSchema: jsonSchemaOf(output, 'output'),
  }));

export async function callTool(
  openLab: () => Promise<Lab>,
  name: string,
  input: Readonly<Record<string, unknown>>,
  call: Call,
): Promise<CallToolResult> {
  const tool = TOOLS.find((candidate) => candidate.name === name) ?? null;
  try {
    if (!tool) {
      const names = TOOLS.map((known) => known.name);
      throw new AutoresearchError(
        'not_found',
        `There is no tool ${name}.`,
        `There are: ${listed(nearestFirst(name, names), 20)}.`,
      );
    }
    const lab = await openLab();
    const run = () => tool.call(lab, coerced(input, jsonSchemaOf(tool.input, 'input')), call);
    const answer = await run().catch(async (error: unknown) => {
      if (await offerStart(error, lab, call)) return await run();
      throw error;
    });
    return respond(answer);
  } catch (error) {
    return respondToError(error, tool);
  }
}
