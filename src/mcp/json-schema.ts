import { z } from 'zod';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What costs an agent tokens and tells it nothing: the names of records are strings, an integer is a safe integer. */
const isNoise = (key: string, value: unknown, depth: number): boolean =>
  key === '$schema' ||
  key === 'propertyNames' ||
  (key === 'additionalProperties' && value === false && depth > 0) ||
  ((key === 'maximum' || key === 'minimum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER);

/** JSON Schema as clients take it: no references, no unions, short. */
export function jsonSchemaOf(schema: z.ZodObject, io: 'input' | 'output'): Json & { type: 'object' } {
  const full = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' });
  const short = (value: unknown, depth: number): unknown => {
    if (Array.isArray(value)) return value.map((item) => short(item, depth + 1));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(
          ([key, inner]) =>
            !isNoise(key, inner, depth) && !(io === 'output' && key === 'additionalProperties' && inner === false),
        )
        .map(([key, inner]) => [key, short(inner, depth + 1)]),
    );
  };
  const result = short(full, 0);
  return { ...(isObject(result) ? result : {}), type: 'object' };
}

/**
 * Agents send an object or a list as a JSON string now and then: where the schema wants one, the string is read.
 * What cannot be read stays, and the schema says what was expected.
 */
export function coerced(value: unknown, schema: unknown): unknown {
  if (!isObject(schema)) return value;
  const wantsMore = schema['type'] === 'object' || schema['type'] === 'array';
  const read = typeof value === 'string' && wantsMore && /^\s*[[{]/.test(value) ? parsedOr(value) : value;
  if (Array.isArray(read)) return read.map((item) => coerced(item, schema['items']));
  if (!isObject(read)) return read;
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  return Object.fromEntries(
    Object.entries(read).map(([key, inner]) => [
      key,
      coerced(inner, properties[key] ?? schema['additionalProperties']),
    ]),
  );
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
