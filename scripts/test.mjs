// `npm test`: builds, sees to a Python environment, runs every suite, and ends with one line that sums them up.
// `npm run test:skypilot` (--live): the same for the suite that needs a live SkyPilot, which `npm test` leaves out; words behind
// it go to vitest, such as -t PATTERN.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const reports = mkdtempSync(join(tmpdir(), 'autoresearch-reports-'));

const run = (title, [command, ...args], options = {}) => {
  console.log(`\n== ${title}`);
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options }).status === 0;
};

/** A suite that ran to no report, or that failed beside its tests, counts as one failure: nothing passes in silence. */
const counted = (passed, failed, succeeded) => ({ passed, failed: failed === 0 && !succeeded ? 1 : failed });

function vitest(title, options = []) {
  const file = join(reports, 'vitest.json');
  const succeeded = run(title, [
    join(root, 'node_modules', '.bin', 'vitest'),
    'run',
    ...options,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(file, 'utf8'));
  const uncollected = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  );
  return counted(numPassedTests, numFailedTests + uncollected.length, succeeded);
}

/** For pytest, which comes first for it: the demo that vitest runs needs it too. */
async function ensurePythonForTests() {
  console.log('\n== Python environment');
  const { ensurePython, TEST_PACKAGES, TRAINING_PACKAGES } = await import('../dist/cli/demo/python-environment.js');
  const packages = [...TRAINING_PACKAGES, ...TEST_PACKAGES];
  return (await ensurePython({ folder: root, packages, say: console.log })).python;
}

function pytest(python) {
  const file = join(reports, 'pytest.xml');
  const succeeded = run('Python tests (pytest)', [python, '-m', 'pytest', `--junitxml=${file}`], {
    cwd: join(root, 'python-core'),
  });
  const sum = (name) =>
    [...readFileSync(file, 'utf8').matchAll(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`, 'g'))].reduce(
      (total, [, count]) => total + Number(count),
      0,
    );
  const failed = sum('failures') + sum('errors');
  return counted(sum('tests') - failed - sum('skipped'), failed, succeeded);
}

const total = { passed: 0, failed: 0 };
const attempt = async (suite, count) => {
  try {
    const { passed, failed } = await count();
    total.passed += passed;
    total.failed += failed;
  } catch (error) {
    console.error(`${suite} could not run: ${error.message} ${error.hint ?? ''}`);
    total.failed += 1;
  }
};

const [, , first, ...options] = process.argv;
const isLive = first === '--live';
if (!run('Build', ['npm', 'run', '--silent', 'build'])) {
  total.failed += 1;
} else if (isLive) {
  await attempt('the live suite', () =>
    vitest('Live SkyPilot (vitest)', ['--config', 'vitest.skypilot.config.ts', ...options]),
  );
} else {
  await attempt('pytest', async () => pytest(await ensurePythonForTests()));
  await attempt('vitest', () => vitest('TypeScript tests (vitest)'));
}
rmSync(reports, { recursive: true, force: true });
if (!isLive) console.log('\nNot run: the live SkyPilot suite (SKYPILOT_API_SERVER_ENDPOINT=… npm run test:skypilot).');
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
