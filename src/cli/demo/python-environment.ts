import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { AutoresearchError } from '../../domain/errors.js';

/** To the exact version, because results compare only between runs of one torch; and elsewhere a plain torch is gigabytes. */
export const TRAINING_PACKAGES = ['torch==2.13.0', 'numpy>=2,<3', 'tokenizers==0.23.3'] as const;
/** The `test` extra of python-core/pyproject.toml. */
export const TEST_PACKAGES = ['pytest>=8', 'pyarrow>=18'] as const;

export interface PythonEnvironment {
  readonly python: string;
  /** PATH under which `python3` is that one. */
  readonly path: string;
}

interface Wishes {
  /** Whose `.venv` is used, and made where no other Python will do. */
  readonly folder: string;
  /** As pip takes them. */
  readonly packages: readonly string[];
  /** Told of each thing that is done, in a few words. */
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * A Python that has the packages: the folder's `.venv`, else the `python3` on PATH, else a `.venv` made here. The user's own
 * Python is never changed.
 * @throws invalid_project when there is no python3, or it cannot make or fill a virtual environment
 */
export async function ensurePython({ folder, packages, say, signal }: Wishes): Promise<PythonEnvironment> {
  const bin = join(folder, '.venv', 'bin');
  const own = join(bin, 'python3');
  const inherited = process.env['PATH'] ?? '';
  const environment = { python: own, path: `${bin}${delimiter}${inherited}` };
  const modules = packages.map(moduleOf);
  if (existsSync(own) && (await has(own, modules))) {
    say(`Python: ${own} has ${modules.join(', ')}.`);
    return environment;
  }
  if (!existsSync(own) && (await has('python3', modules))) {
    say(`Python: python3 on PATH has ${modules.join(', ')}.`);
    return { python: 'python3', path: inherited };
  }
  const cancel = signal ? { cancelSignal: signal } : {};
  if (!existsSync(own)) {
    say(`Python: python3 on PATH lacks some of ${modules.join(', ')}. Making ${join(folder, '.venv')} …`);
    await execa('python3', ['-m', 'venv', join(folder, '.venv')], cancel).catch(unusable);
  }
  say(`Python: installing ${packages.join(', ')} there (once; torch is large) …`);
  const startedAt = Date.now();
  await execa(own, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages], cancel).catch(
    unusable,
  );
  say(`Python: ready after ${Math.round((Date.now() - startedAt) / 1000)} s.`);
  return environment;
}

const moduleOf = (requirement: string): string => requirement.replace(/[^a-z].*$/, '');

/** Looks for the modules without importing them: torch alone takes a second. */
async function has(python: string, modules: readonly string[]): Promise<boolean> {
  const code = 'import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1:])))';
  const { failed } = await execa(python, ['-c', code, ...modules], { reject: false });
  return !failed;
}

function unusable(error: unknown): never {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').slice(-3) : [];
  throw new AutoresearchError(
    'invalid_project',
    `No Python with ${TRAINING_PACKAGES.join(', ')} could be prepared. ${said.join(' ') || String(error)}`,
    'Install Python 3.10 or newer with its venv module (Debian, Ubuntu: python3-venv) and call again; or activate one that has the packages.',
    { cause: error },
  );
}
