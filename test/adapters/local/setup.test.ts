import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openWorkplace, temporaryFolder } from './workplace.js';

/** Makes a wheel of one module, for no test of ours should need a registry to install something. */
const MAKE_WHEEL = `python3 - <<'END'
import zipfile
with zipfile.ZipFile('tinything-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('tinything.py', 'ANSWER = 42\\n')
    wheel.writestr('tinything-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tinything\\nVersion: 1.0\\n')
    wheel.writestr('tinything-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('tinything-1.0.dist-info/RECORD', '')
END`;
const WHEEL = './tinything-1.0-py3-none-any.whl';
const WHERE = 'python3 -c "import tinything; print(tinything.__file__)"';

const OWN_PATH = process.env['PATH'] ?? '';

describe('setup', () => {
  afterEach(() => {
    process.env['PATH'] = OWN_PATH;
    delete process.env['VIRTUAL_ENV'];
  });

  it.each([['pip install'], ['pip3 install --user'], ['python3 -m pip install'], ['python -m pip install --user']])(
    'with "%s" changes the environment\'s own Python, not the user\'s',
    async (install) => {
      const { bench, directory } = await openWorkplace(1);
      const setup = `${MAKE_WHEEL}\n${install} --no-index ${WHEEL}`;
      const cluster = await bench.cluster(await bench.environment({ setup }));
      const place = (await bench.output(cluster, WHERE)).trim();
      expect(place.startsWith(join(directory, cluster, 'environments', 'first', '.venv'))).toBe(true);
      expect(() => execFileSync('python3', ['-c', 'import tinything'], { stdio: 'pipe' })).toThrow('tinything');
    },
  );

  it('sees the packages of the virtual Python that the user works in, and leaves them as they are', async () => {
    const users = join(await temporaryFolder(), 'users');
    execFileSync('python3', ['-m', 'venv', '--without-pip', users]);
    const packages = execFileSync(join(users, 'bin', 'python'), [
      '-c',
      'import site; print(site.getsitepackages()[0])',
    ]);
    const site = packages.toString().trim();
    await writeFile(join(site, 'bigtorch.py'), 'VERSION = "the user\'s"\n');
    await mkdir(join(site, 'elsewhere'));
    await writeFile(join(site, 'elsewhere', 'editable.py'), 'VERSION = "editable"\n');
    await writeFile(join(site, 'editable.pth'), `${join(site, 'elsewhere')}\n`);
    const before = readdirSync(users, { recursive: true }).filter((path) => !String(path).includes('__pycache__'));
    process.env['PATH'] = `${join(users, 'bin')}:${OWN_PATH}`;
    process.env['VIRTUAL_ENV'] = users;

    const { bench } = await openWorkplace(1);
    const setup = `${MAKE_WHEEL}\npip install --no-index ${WHEEL}\ntouch set-up`;
    const cluster = await bench.cluster(await bench.environment({ setup }));
    const look = 'import bigtorch, editable, tinything; print(bigtorch.VERSION, editable.VERSION, tinything.ANSWER)';
    expect(await bench.output(cluster, `python3 -c "${look}"; echo "virtual=$VIRTUAL_ENV"`)).toBe(
      "the user's editable 42\nvirtual=\n",
    );
    const after = readdirSync(users, { recursive: true }).filter((path) => !String(path).includes('__pycache__'));
    expect(after).toEqual(before);
  });

  it("is nothing where there is none: the job runs in the user's Python, which pip then refuses to change", async () => {
    const { bench, directory } = await openWorkplace(1);
    const cluster = await bench.cluster();
    const run = `${MAKE_WHEEL}\npython3 -m pip install --no-index ${WHEEL}; ${WHERE} || echo "not there"`;
    expect(await bench.output(cluster, run)).toContain('not there');
    expect(existsSync(join(directory, cluster, 'environments', 'first', '.venv'))).toBe(false);
  });

  it('that failed is tried again by the next job of its key', async () => {
    const { bench } = await openWorkplace(1);
    const setup = `if [ -e tried ]; then ${MAKE_WHEEL}\npip install --no-index ${WHEEL}\nelse touch tried; sleep 0.5; echo no such wheel; exit 3; fi`;
    const cluster = await bench.cluster(await bench.environment({ setup }));
    await bench.submit(cluster, bench.task('one', 'echo ran'), bench.task('two', WHERE), bench.task('three', WHERE));
    const jobs = await bench.ended(cluster);
    expect(jobs.map(({ status }) => status)).toEqual(['FAILED_SETUP', 'SUCCEEDED', 'SUCCEEDED']);
    expect(await bench.log(cluster, jobs[0]?.jobId ?? '')).toMatch(/failed with exit code 3.*\nno such wheel/);
  });

  it('that failed with no job waiting is said in the status of the cluster', async () => {
    const { bench } = await openWorkplace(1);
    const cluster = await bench.cluster(await bench.environment({ setup: 'exit 4' }));
    await bench.until(async () => {
      const [found] = await bench.backend.clusters([cluster]);
      return found?.statusReason === 'The setup of environment first failed with exit code 4.';
    });
  });

  // The published task as far as it goes without its data; the one test that asks a package registry, for uv.
  it('is that of the published experiment.yaml: uv comes with pip, makes .venv here, and touches no other', async () => {
    const project = await temporaryFolder();
    const users = join(project, '.venv'); // uv looks for one in the folders above, and the clusters lie in the project
    execFileSync('python3', ['-m', 'venv', '--without-pip', users]);
    const before = readdirSync(users, { recursive: true });
    const { bench } = await openWorkplace(1, project);
    const environment = await bench.environment(
      { setup: `pip install uv\nuv sync\nuv run prepare.py\n${MAKE_WHEEL}\ncd .. && uv pip install workdir/${WHEEL}` },
      {
        'pyproject.toml':
          '[project]\nname = "nanochat"\nversion = "0.1.0"\nrequires-python = ">=3.10"\ndependencies = []\n',
        'prepare.py': 'open("data.bin", "w").write("tokens")\n',
        'train.py': 'import sys\nprint(open("data.bin").read(), sys.prefix)\nprint("---")\nprint("val_bpb: 0.99")\n',
      },
    );
    const cluster = await bench.cluster(environment);
    const run = `uv run train.py 2>&1 | tee run.log
EXIT=\${PIPESTATUS[0]}
grep "^val_bpb:" run.log; exit $EXIT`;
    const [jobId = ''] = await bench.submit(cluster, bench.task('published', run));
    const [job] = await bench.ended(cluster);
    const log = await bench.log(cluster, jobId);
    expect(job?.status, log).toBe('SUCCEEDED');
    expect(log).toMatch(/tokens \S.*\/environments\/first\/workdir\/\.venv\n---\nval_bpb: 0.99\nval_bpb: 0.99\n$/);
    expect(readdirSync(users, { recursive: true })).toEqual(before);
    expect(() => execFileSync('python3', ['-c', 'import uv'], { stdio: 'pipe' })).toThrow('uv');
  });
});
