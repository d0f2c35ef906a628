import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { listTools } from '../../src/mcp/call-tool.js';
import { INSTRUCTIONS } from '../../src/mcp/instructions.js';
import { TOOLS } from '../../src/mcp/tools/index.js';
import { connectClient } from '../support/client.js';
import { createTestLab } from '../support/test-lab.js';

const folder = new URL('../../src/mcp/tools/', import.meta.url);

it('registers every file of the tools folder under the name of that file', () => {
  const files = readdirSync(folder).filter((file) => file !== 'index.ts');
  expect(TOOLS.map(({ name }) => `${name.replaceAll('_', '-')}.ts`).sort()).toEqual(files.sort());
});

it.each(TOOLS)('$name: a verb_noun with a title, two sentences or more, all four annotations', (tool) => {
  expect(tool.name).toMatch(/^[a-z]+(_[a-z]+)*$/);
  expect(tool.title.length).toBeGreaterThan(0);
  expect(tool.description.length).toBeLessThan(400);
  expect(tool.description.split(/[.;] /).length).toBeGreaterThanOrEqual(2);
  expect(Object.keys(tool.annotations).sort()).toEqual([
    'destructiveHint',
    'idempotentHint',
    'openWorldHint',
    'readOnlyHint',
  ]);
});

it.each(TOOLS)('$name: is called by a test through a client', ({ name }) => {
  const tests = readdirSync(new URL('.', import.meta.url)).filter(
    (file) => file.endsWith('.test.ts') && file !== 'tools.test.ts',
  );
  const callers = tests.filter((file) => readFileSync(new URL(file, import.meta.url), 'utf8').includes(`'${name}'`));
  expect(callers).not.toEqual([]);
});

// What makes some clients drop the whole list: unions at the top, lists of types, arrays that do not say of what.
it.each(listTools())('$name: has schemas that every client takes', ({ inputSchema, outputSchema }) => {
  for (const schema of [inputSchema, outputSchema]) {
    expect(schema).toMatchObject({ type: 'object' });
    expect(Object.keys(schema ?? {})).not.toEqual(expect.arrayContaining(['anyOf', 'oneOf', 'allOf']));
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      if ('type' in node) {
        expect(Array.isArray(node.type)).toBe(false);
        if (node.type === 'array') expect(node).toHaveProperty('items');
      }
      expect(node).not.toHaveProperty('$ref');
      Object.values(node).forEach(visit);
    };
    visit(schema);
  }
});

it('stays below fifteen tools, and tells an agent in 2 KB how a campaign goes', () => {
  expect(TOOLS.length).toBeLessThanOrEqual(15);
  expect(Buffer.byteLength(INSTRUCTIONS)).toBeLessThanOrEqual(2048);
  for (const name of INSTRUCTIONS.match(/\b(?:[a-z]+_)+[a-z]+\b(?=[:; ])/g) ?? []) {
    const words = [
      ...TOOLS.flatMap((tool) => [tool.name, ...Object.keys(tool.input.shape), ...Object.keys(tool.output.shape)]),
    ];
    expect(words).toContain(name);
  }
});

it('gives its instructions with the handshake', async () => {
  const { lab } = await createTestLab();
  const client = await connectClient(async () => lab);
  expect(client.getInstructions()).toBe(INSTRUCTIONS);
  expect(client.getServerVersion()).toMatchObject({ name: 'autoresearch-mcp' });
  expect(existsSync(folder)).toBe(true);
});
