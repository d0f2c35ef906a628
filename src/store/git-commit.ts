import { execa } from 'execa';
import { AutoresearchError } from '../domain/errors.js';

/** A hook may run a whole test suite. */
const LONGEST_COMMIT_MS = 120_000;

/** Nobody is there to be asked for a passphrase or a message. */
const SILENT = { GIT_TERMINAL_PROMPT: '0', GIT_EDITOR: 'true' };

const git = (root: string, args: readonly string[], input = '') =>
  execa('git', ['--literal-pathspecs', ...args], {
    cwd: root,
    input,
    env: SILENT,
    reject: false,
    timeout: LONGEST_COMMIT_MS,
  });

/** @throws invalid_project where a commit of ours would not be ours alone, or could not be made at all */
export async function assertCanCommit(root: string): Promise<void> {
  const staged = await git(root, ['diff', '--cached', '--name-only']);
  if (staged.exitCode !== 0) throw cannotCommit('The project is in no git repository.', 'Leave out commit.');
  const names = staged.stdout.split('\n').filter(Boolean);
  if (names.length === 0) return;
  throw cannotCommit(
    `Other changes are staged for a commit: ${names.slice(0, 5).join(', ')}.`,
    'Commit or unstage them, or leave out commit.',
  );
}

/** Files of these that differ from the last commit, while nothing is staged. */
export async function uncommitted(root: string, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const options = ['-z', '--modified', '--deleted', '--others', '--exclude-standard', '--deduplicate'];
  const { stdout, exitCode, stderr } = await git(root, ['ls-files', ...options, '--', ...paths]);
  if (exitCode !== 0) throw cannotCommit(`git ls-files failed: ${lastLine(stderr)}`, 'Leave out commit.');
  return stdout.split('\0').filter(Boolean);
}

/**
 * Commits these files and nothing else; the repository's hooks run.
 * @returns the commit's hash
 * @throws invalid_project in git's or a hook's words; the index is then as it was
 */
export async function commitFiles(root: string, paths: readonly string[], message: string): Promise<string> {
  const added = await git(root, ['add', '--', ...paths]);
  const committed =
    added.exitCode === 0 ? await git(root, ['commit', '--quiet', '--file=-', '--', ...paths], message) : added;
  if (committed.exitCode === 0) return (await git(root, ['rev-parse', 'HEAD'])).stdout.trim();
  await git(root, ['reset', '--quiet', '--', ...paths]);
  const said = lastLine(`${committed.stdout}\n${committed.stderr}`);
  throw cannotCommit(`git made no commit; its last words: "${said}".`, 'Mend that, or leave out commit.');
}

const cannotCommit = (what: string, hint: string) =>
  new AutoresearchError('invalid_project', what, `Nothing was changed. ${hint}`);

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
