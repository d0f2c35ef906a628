import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { TEST_PACKAGES, TRAINING_PACKAGES } from '../../src/cli/demo/python-environment.js';
import * as reports from '../../src/cli/inspect/report.js';
import { ERROR_CODES } from '../../src/domain/errors.js';
import { ProjectFile } from '../../src/domain/project.js';
import { TOOLS } from '../../src/mcp/tools/index.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const DOCS = [
  'README.md',
  'AGENTS.md',
  'CHANGELOG.md',
  ...['skills', 'examples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md') && !path.includes('.autoresearch'))
      .map((path) => join(folder, path)),
  ),
];
const code = (text: string): string[] =>
  [...text.matchAll(/```[^\n]*\n([\s\S]*?)```|`([^`\n]+)`/g)].map(([, block, span]) => block ?? span ?? '');

/** Every name in the tools' schemas, in the reports, the project file and the error codes; and what train.py prints. */
function knownNames(): Set<string> {
  const namesIn = (value: unknown): string[] =>
    typeof value !== 'object' || value === null
      ? []
      : Object.entries(value).flatMap(([key, inner]) => [key, ...namesIn(inner)]);
  const schemas = [
    ProjectFile,
    ...TOOLS.flatMap(({ input, output }) => [input, output]),
    ...Object.values(reports),
  ].map((schema) => namesIn(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })));
  return new Set([
    ...TOOLS.map(({ name }) => name),
    ...Object.keys(ERROR_CODES),
    ...schemas.flat(),
    ...['full_factorial', 'val_bpb', 'main_effects', 'mcp_servers', 'tool_timeout_sec'],
  ]);
}

it.each(DOCS)('%s names no tool, argument or field that does not exist', (path) => {
  const known = knownNames();
  const words = code(read(path)).flatMap((text) => text.match(/(?<![\w./-])[a-z]+(?:_[a-z]+)+(?![\w/.-])/g) ?? []);
  expect(words.filter((word) => !known.has(word))).toEqual([]);
});

/** Made by a run, a client or the reader; or a word with a slash in it. */
const NOT_IN_THE_REPOSITORY =
  /^(\/path\/to\/|~\/|\.autoresearch|\.claude\/|\.codex\/|\.venv|dist\/|node_modules|experiments\/$|autoresearch:|\/diff$|\/log$|\/mcp$)/;

/** Files that git has or would have, and their folders. */
const FILES = execaSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT }).stdout.split(
  '\n',
);
const PATHS = new Set(
  FILES.flatMap((path) => path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'))),
);

it.each(DOCS)('%s names no file that does not exist', (path) => {
  const spans = [...read(path).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span ?? '');
  const names = spans.filter((text) => /^[\w.~/-]+$/.test(text) && /\/|\.(md|py|ya?ml|json|toml|ts|mjs)$/.test(text));
  const missing = names.filter((name) => {
    const wanted = name.replace(/\/$/, '');
    return !NOT_IN_THE_REPOSITORY.test(name) && ![...PATHS].some((known) => `/${known}`.endsWith(`/${wanted}`));
  });
  expect(missing).toEqual([]);
});

it.each(DOCS)('%s has no relative link that leads nowhere', (path) => {
  const text = read(path);
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(
    ([, title = '']) =>
      `#${title
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-')}`,
  );
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
  const broken = targets.filter((target) => {
    if (/^https?:/.test(target)) return false;
    return target.startsWith('#') ? !headings.includes(target) : !existsSync(resolve(ROOT, dirname(path), target));
  });
  expect(broken).toEqual([]);
});

it('keeps what is generated current', async () => {
  const { stdout, exitCode } = await execa('node', ['scripts/generate-docs.mjs', '--check'], {
    cwd: ROOT,
    reject: false,
  });
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 });
});

it('writes skills as agents read them: named for their folder, described within the limits', () => {
  const Frontmatter = z.strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      .max(64),
    description: z.string().min(1).max(1024),
    license: z.string(),
    compatibility: z.string().max(500),
  });
  for (const folder of readdirSync(join(ROOT, 'skills'))) {
    const [, frontmatter = ''] = /^---\n([\s\S]*?)\n---\n/.exec(read(`skills/${folder}/SKILL.md`)) ?? [];
    expect(Frontmatter.parse(parse(frontmatter)).name).toBe(basename(folder));
  }
});

it('gives Claude Code and Codex the same server', () => {
  const { mcpServers } = JSON.parse(read('examples/claude-code/.mcp.json'));
  expect(mcpServers.autoresearch).toMatchObject({
    command: 'node',
    args: [expect.stringMatching(/\/dist\/bin\.js$/), '--project', '.'],
  });
  expect(read('examples/codex/config.toml')).toMatch(
    /\[mcp_servers\.autoresearch\]\ncommand = "node"\nargs = \[".*\/dist\/bin\.js", "--project", ".*"\]/,
  );
});

it('installs for the tests what python-core asks for', () => {
  const listed = (name: string): string[] => {
    const [, list = ''] = new RegExp(`^${name} = \\[(.*)\\]`, 'm').exec(read('python-core/pyproject.toml')) ?? [];
    return [...list.matchAll(/"([^"]+)"/g)].map(([, requirement]) => requirement ?? '');
  };
  expect(TEST_PACKAGES).toEqual(listed('test'));
  const modules = (requirements: readonly string[]) => requirements.map((text) => text.replace(/[^a-z].*$/, ''));
  expect(modules(TRAINING_PACKAGES)).toEqual(modules(listed('dependencies')));
});
