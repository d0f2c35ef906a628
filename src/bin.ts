#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Workshop } from './compose.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const args = process.argv.slice(2);

const { values, positionals } = parseArgs({
  args,
  options: { project: { type: 'string' } },
  strict: false,
  allowPositionals: true,
});
const { project, ...others } = values;

// Only the server is started from here without further imports: a client waits for its first answer.
if (positionals.length === 0 && Object.keys(others).length === 0 && typeof project !== 'boolean') {
  let opened: Promise<Workshop> | null = null;
  const workshop = () => {
    opened ??= import('./compose.js').then(({ openWorkshop, projectFolder }) => openWorkshop(projectFolder(project)));
    return opened;
  };
  const { serveStdio } = await import('./mcp/serve-stdio.js');
  await serveStdio({
    version,
    openLab: async () => (await workshop()).openLab(),
    close: async () => (await opened)?.close(),
  });
} else {
  const [{ runCommandLine }, { openWorkshop, projectFolder }] = await Promise.all([
    import('./cli/command-line.js'),
    import('./compose.js'),
  ]);
  // `--project X inspect` is `inspect --project X`.
  const [first = '', value = '', ...rest] = args;
  const ordered = first === '--project' && rest.length > 0 ? [...rest, first, value] : args;
  await runCommandLine({ version, args: ordered, openWorkshop, projectFolder });
}
