import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Figure, quantile } from './figure.js';

const ROUNDS = 15;
/** npm runs scripts in the package's folder. */
const root = process.cwd();

/** The smallest server that the SDK allows: what anybody pays before a line of their own. */
const BARE = `
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
const server = new McpServer({ name: 'bare', version: '0.0.0' });
server.registerTool('echo', { description: 'Echo.', inputSchema: { text: z.string() } }, async ({ text }) => ({ content: [{ type: 'text', text }] }));
await server.connect(new StdioServerTransport());
`;

const HELLO = `${JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '0' } },
})}\n`;

/** From the start of the process to the answer of initialize, ours and the bare one in turn. */
export async function initializeFigures(): Promise<Figure[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'autoresearch-bench-'));
  // Beside our own node_modules, so that both load the very same SDK.
  const bare = join(root, 'node_modules', `.bare-server-${process.pid}.mjs`);
  writeFileSync(bare, BARE);
  const [ours, theirs, ratios]: [number[], number[], number[]] = [[], [], []];
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const a = await answerTime([join(root, 'dist', 'bin.js'), '--project', scratch]);
      const b = await answerTime([bare]);
      if (round === 0) continue; // the disk's caches are cold
      ours.push(a);
      theirs.push(b);
      ratios.push(a / b);
    }
  } finally {
    rmSync(bare, { force: true });
    rmSync(scratch, { recursive: true, force: true });
  }
  return [
    { name: 'our answer to initialize, median', value: quantile(ours, 0.5), unit: 'ms' },
    { name: 'a bare one-tool server’s, median', value: quantile(theirs, 0.5), unit: 'ms' },
    { name: `ratio pair by pair, median of ${ROUNDS}`, value: quantile(ratios, 0.5), unit: '×', limit: { most: 1.5 } },
  ];
}

async function answerTime(args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const child = execa(process.execPath, [...args], { reject: false, stderr: 'ignore', buffer: false });
  child.stdin.write(HELLO);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const took = performance.now() - startedAt;
  child.stdin.end();
  child.kill();
  await child;
  return took;
}
