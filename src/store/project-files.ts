import { existsSync } from 'node:fs';
import { lstat, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { execa } from 'execa';
import ignore from 'ignore';
import PQueue from 'p-queue';
import { AutoresearchError } from '../domain/errors.js';
import type { SourceFile } from './snapshots.js';

/** What may travel to a cluster: code, not data. */
const MOST_BYTES = 20 * 1024 * 1024;

/** A project of thousands of files must not need as many file handles. */
const MOST_OPEN = 64;

/**
 * The files of a folder that git tracks or would track, less what `.skyignore` names, with their content as it is now.
 * `autoresearch.yaml` is left out: it says how to do research here, and changing a limit changes no code.
 * @param options.ownRules for a folder inside a project: only its own ignore files count, not those above it
 * @throws too_large past 20 MB, with the largest files; invalid_project for what cannot be snapshotted
 */
export async function readProjectFiles(folder: string, { ownRules = false } = {}): Promise<SourceFile[]> {
  const skyignore = join(folder, '.skyignore');
  const ignored = ignore({ ignorecase: false }).add(['.autoresearch/', '.git/', '/autoresearch.yaml']);
  if (existsSync(skyignore)) ignored.add(await readFile(skyignore, 'utf8'));
  const paths = (await listedByGit(folder, ownRules)).filter((path) => !ignored.ignores(path));
  const root = await realpath(folder);
  const queue = new PQueue({ concurrency: MOST_OPEN });
  const entries = await queue.addAll(paths.map((path) => () => statInside(root, path)));
  const present = entries.filter((entry) => entry !== null);

  const bytes = present.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MOST_BYTES) {
    const largest = [...present].sort((a, b) => b.size - a.size).slice(0, 5);
    throw new AutoresearchError(
      'too_large',
      `The snapshot of ${folder} would hold ${megabytes(bytes)}, more than ${megabytes(MOST_BYTES)}. Largest: ${largest
        .map(({ path, size }) => `${path} (${megabytes(size)})`)
        .join(', ')}.`,
      'Name data and outputs in .gitignore or .skyignore; let setup of the task fetch or make them.',
    );
  }
  return queue.addAll(
    present.map(({ path, executable }) => async () => ({
      path,
      executable,
      content: await readFile(join(root, path)),
    })),
  );
}

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

async function listedByGit(folder: string, ownRules: boolean): Promise<string[]> {
  const list = (options: readonly string[]) =>
    execa('git', [...options, 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'], {
      cwd: folder,
      stripFinalNewline: false,
    });
  const inRepository = ownRules ? null : await list([]).catch(() => null);
  if (inRepository) return inRepository.stdout.split('\0').filter(Boolean);

  // No repository: an empty one elsewhere lends its rules, and the folder stays as it is.
  const scratch = await mkdtemp(join(tmpdir(), 'autoresearch-git-'));
  try {
    await execa('git', ['init', '--quiet', '--bare', scratch]);
    return (await list([`--git-dir=${scratch}`, `--work-tree=${folder}`])).stdout.split('\0').filter(Boolean);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new AutoresearchError(
      'invalid_project',
      isMissing ? 'git was not found.' : `git could not list the files of ${folder}.`,
      isMissing ? 'Install git: it says which files are code.' : 'Is it a folder that can be read?',
      { cause: error },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function statInside(
  root: string,
  path: string,
): Promise<{ path: string; size: number; executable: boolean } | null> {
  const unusable = (what: string) =>
    new AutoresearchError('invalid_project', `${path} ${what}.`, 'Name it in .gitignore or .skyignore.');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what sha256sum would print escaped.
  if (/[\u0000-\u001f\\]/.test(path)) throw unusable('has a control character or a backslash in its name');
  if (path.includes('\ufffd')) throw unusable('has a name that is not UTF-8');
  if (path === '-') throw unusable('is a name that sha256sum takes for its input');
  const full = join(root, path);
  let stats = await lstat(full).catch(() => null);
  if (!stats) return null; // tracked, and deleted since
  if (stats.isSymbolicLink()) {
    const target = await realpath(full).catch(() => null);
    if (!target?.startsWith(root + sep)) throw unusable('is a link that leads out of the project or nowhere');
    stats = await lstat(target);
  }
  if (stats.isDirectory()) throw unusable('is a repository of its own or a link to a folder');
  if (!stats.isFile()) return null; // a socket or a pipe
  return { path, size: stats.size, executable: (stats.mode & 0o100) !== 0 };
}
