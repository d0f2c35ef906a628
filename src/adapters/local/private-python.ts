import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { privatePython } from './cluster-folder.js';

/**
 * Setup installs what it likes, never into the user's Python: each environment has a virtual one, first on PATH, that sees
 * what the user's has (a torch that took an hour to download) and writes only to itself.
 */
const MAKE = `
import glob, importlib.util, os, site, sys, venv
folder = sys.argv[1]
venv.create(folder, system_site_packages=True, symlinks=True, with_pip=False)
# Not meant by system_site_packages: those of a virtual Python that the user works in, and, where pip's idea of the user's
# folder is changed for setup, those in there. addsitedir and not the bare path: an editable package is a .pth file.
seen = site.getsitepackages() if sys.prefix != sys.base_prefix else []
seen += [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
for packages in glob.glob(os.path.join(folder, 'lib', '*', 'site-packages')):
    with open(os.path.join(packages, 'user-python.pth'), 'w') as pth:
        for path in filter(os.path.isdir, seen):
            pth.write('import site, sys; %r in sys.path or site.addsitedir(%r)\\n' % (path, path))
# --with-pip would take three seconds to unpack what is there already.
if importlib.util.find_spec('pip') is None:
    print('autoresearch: %s has no pip, so setup has none either' % sys.executable, flush=True)
for name in ('pip', 'pip3'):
    path = os.path.join(folder, 'bin', name)
    if not os.path.exists(path):
        with open(path, 'w') as script:
            script.write('#!/bin/sh\\nexec "$(dirname "$0")/python" -m pip "$@"\\n')
        os.chmod(path, 0o755)
`;

/** A python3 that does not run (a shim without a version behind it) counts as none; one that cannot make a venv is an error. */
const WITH_FIRST_PYTHON =
  'for python in python3 python; do "$python" -c pass 2> /dev/null && exec "$python" -c "$@"; done; true';

export const makePrivatePython = (environment: string): [string, ...string[]] => [
  'bash',
  '-c',
  WITH_FIRST_PYTHON,
  'bash',
  MAKE,
  privatePython(environment),
];

/** What, inherited from the user's shell, would lead pip or uv back to the user's Python. */
const LEADS_BACK = [
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  'CONDA_DEFAULT_ENV',
  'PYTHONHOME',
  'PIP_TARGET',
  'PIP_PREFIX',
  'PIP_USER',
  'PIP_PYTHON',
  'UV_PYTHON',
  'UV_SYSTEM_PYTHON',
  'UV_PROJECT_ENVIRONMENT',
];

/** Variables as they are when the environment's own Python is the first. VIRTUAL_ENV stays unset for uv's sake. */
export function withPrivatePython(
  envs: Readonly<Record<string, string | undefined>>,
  environment: string,
): Record<string, string | undefined> {
  const python = privatePython(environment);
  const pip = { PIP_REQUIRE_VIRTUALENV: '1' };
  if (!existsSync(join(python, 'bin', 'python'))) return { ...envs, ...pip };
  return {
    ...Object.fromEntries(Object.entries(envs).filter(([name]) => !LEADS_BACK.includes(name))),
    ...pip,
    PATH: `${join(python, 'bin')}:${envs['PATH'] ?? '/usr/bin:/bin'}`,
    PYTHONUSERBASE: python, // `pip install --user` too
    // Without a pyproject.toml here, uv would find that of a folder above, the user's, and bring its environment up to date.
    ...(existsSync(join(environment, 'workdir', 'pyproject.toml')) ? {} : { UV_PROJECT_ENVIRONMENT: python }),
  };
}
