import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { AutoresearchError } from '../domain/errors.js';
import { listed, nearestFirst } from '../domain/suggest.js';
import { type Answer, type AnyTool, BadArguments } from './define-tool.js';

export function respond({ structured, text, links = [] }: Answer<Record<string, unknown>>): CallToolResult {
  return {
    content: [{ type: 'text', text }, ...links.map(({ uri, name }) => ({ type: 'resource_link' as const, uri, name }))],
    structuredContent: structured,
  };
}

/** The one place where errors are caught. What is unforeseen keeps its own words; the stack goes to stderr, not to the agent. */
export function respondToError(error: unknown, tool: AnyTool | null): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: errorText(error, tool) }] };
}

export function errorText(error: unknown, tool: AnyTool | null): string {
  if (error instanceof AutoresearchError) return `${error.code}: ${error.message} ${error.hint}`;
  if (error instanceof BadArguments && tool)
    return `invalid_input: ${error.issues.map((issue) => inWords(issue, tool)).join(' ')}`;
  const message = error instanceof Error ? error.message : String(error);
  return `internal: ${message} Call campaign_status to see where things stand; nothing that was stored is lost.`;
}

function inWords(issue: z.core.$ZodIssue, tool: AnyTool): string {
  const place = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return `${place || 'arguments'}: ${issue.message}.`;
  const known = knownKeys(tool.input, issue.path);
  const [first = ''] = issue.keys;
  const where = place === '' ? tool.name : `${tool.name}, ${place}`;
  return `${where} takes no ${issue.keys.join(', ')}. It takes: ${listed(nearestFirst(first, known), 20)}.`;
}

/** The keys that the object at `path` may have. */
function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const inner = unwrapped(schema);
  const [key, ...rest] = path;
  if (inner instanceof z.ZodArray) return knownKeys(inner.element, rest);
  if (inner instanceof z.ZodRecord) return knownKeys(inner.valueType, rest);
  if (!(inner instanceof z.ZodObject)) return [];
  if (key === undefined) return Object.keys(inner.shape);
  const child: unknown = inner.shape[String(key)];
  return child instanceof z.ZodType ? knownKeys(child, rest) : [];
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable
    ? unwrapped(schema.def.innerType)
    : schema;
}
