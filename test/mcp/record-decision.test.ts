import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { expect, it } from 'vitest';
import { AutoresearchError } from '../../src/domain/errors.js';
import { readCampaign, readExperiments } from '../../src/lab/lab.js';
import { readProject } from '../../src/store/read-project.js';
import { callTool, connectClient } from '../support/client.js';
import { plantedLab, runWave } from '../support/planted-runs.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { TRAIN_PY } from '../support/simulated-lab.js';
import { createTestLab } from '../support/test-lab.js';

const VALUES: Record<string, number> = { 'exp-0001': 0.97, 'exp-0002': 0.95, 'exp-0003': 0.96 };

/** A baseline, a better run, a second one, and one that crashes; in a git repository where asked. */
async function finished({ git = false } = {}) {
  let isDown = false;
  const { lab, directory } = await createTestLab({
    before() {
      if (isDown) throw new AutoresearchError('backend_down', 'Nobody answers.', 'Start it.');
    },
    run: (task) => ({
      seconds: 60,
      log: wrapperLine(task) + (VALUES[task.name] ? summaryBlock(VALUES[task.name] ?? 0) : 'ValueError: no\n'),
      exitCode: VALUES[task.name] ? 0 : 1,
    }),
  });
  const inProject = (...args: string[]) => execaSync('git', args, { cwd: directory }).stdout;
  if (git) {
    inProject('init', '--quiet');
    inProject('config', 'user.name', 'Researcher');
    inProject('config', 'user.email', 'researcher@example.org');
    inProject('add', '.');
    inProject('commit', '--quiet', '--message', 'start');
  }
  const client = await connectClient(async () => lab);
  await callTool(client, 'launch_wave', {
    experiments: [
      { description: 'larger steps', overrides: { LEARNING_RATE: 0.08 } },
      { description: 'deeper', overrides: { DEPTH: 12 } },
      { description: 'deepest', overrides: { DEPTH: 48 } },
    ],
  });
  await lab.sleep(100_000);
  const path = join(directory, 'train.py');
  return {
    lab,
    path,
    directory,
    inProject,
    /** From now on the machines do not answer. */
    down() {
      isDown = true;
    },
    train: () => readFileSync(path, 'utf8'),
    call: (args: object) => callTool(client, 'record_decision', { reason: 'it is better', ...args }),
    read: async (uri: string) => JSON.stringify((await client.readResource({ uri })).contents),
  };
}

const LARGER = TRAIN_PY.replace('0.04', '0.08');

it('keeps an experiment: its code stands in the project, it is the incumbent, and the lack of evidence is on record', async () => {
  const { call, train, lab, read } = await finished();
  expect(await call({ experiment_id: 'exp-0002', decision: 'keep' })).toMatchInlineSnapshot(`
    {
      "structured": {
        "changed": [
          "train.py",
        ],
        "decision": "keep",
        "delta": -0.02,
        "incumbent": "exp-0002",
      },
      "text": "exp-0002 kept without evidence (−0.02000 against the incumbent before): it is the incumbent. Changed: train.py.",
    }
  `);
  expect(train()).toBe(LARGER);
  expect(await readCampaign(lab)).toMatchObject({ incumbent: 'exp-0002' });
  expect(await read('autoresearch://experiments/exp-0002')).toContain('it is better');
  expect(await read('autoresearch://results.tsv')).toMatch(
    /exp-0001\\tkeep.*exp-0002\\tkeep.*exp-0003\\tdiscard.*exp-0004\\tcrash/,
  );
  expect(readFileSync(join(lab.store.directory, 'findings.md'), 'utf8')).toContain(
    'Kept, without evidence: exp-0002, larger steps. val_bpb 0.950000, −0.020000 against exp-0001 (0.970000); verdict: none. Reason: it is better',
  );
});

it('commits the changed file alone, with the evidence in the message', async () => {
  const { call, inProject, directory } = await finished({ git: true });
  writeFileSync(join(directory, 'notes.txt'), 'mine');
  const answer = await call({ experiment_id: 'exp-0002', decision: 'keep', commit: true });
  expect(answer.structured).toMatchObject({ commit: inProject('rev-parse', 'HEAD'), changed: ['train.py'] });
  expect(inProject('log', '-1', '--format=%B').replace(/[0-9a-f]{64}/, 'HASH')).toMatchInlineSnapshot(`
    "keep exp-0002: larger steps

    val_bpb 0.950000, −0.020000 against exp-0001 (0.970000); verdict: none.
    Reason: it is better
    Evidence: exp-0002 against exp-0001
    Snapshot: HASH
    "
  `);
  expect(inProject('show', '--name-only', '--format=')).toBe('train.py');
  expect(inProject('status', '--porcelain')).toContain('?? notes.txt');
});

it('commits what was kept before without a commit, and says when nothing is left to commit', async () => {
  const { call, inProject } = await finished({ git: true });
  await call({ experiment_id: 'exp-0002', decision: 'keep' });
  expect(inProject('log', '--format=%s')).toBe('start');
  const second = await call({ experiment_id: 'exp-0002', decision: 'keep', commit: true, reason: 'sure now' });
  expect(second.text).toContain('It replaces the decision "keep: it is better".');
  expect(inProject('log', '--format=%s')).toBe('keep exp-0002: larger steps\nstart');
  expect(inProject('log', '-1', '--format=%B')).toContain('−0.020000 against exp-0001 (0.970000)');
  const third = await call({ experiment_id: 'exp-0002', decision: 'keep', commit: true });
  expect(third.text).toContain('There was nothing to commit.');
});

it('refuses a commit beside other staged changes, and changes nothing', async () => {
  const { call, inProject, directory, train, lab } = await finished({ git: true });
  writeFileSync(join(directory, 'notes.txt'), 'mine');
  inProject('add', 'notes.txt');
  expect(await call({ experiment_id: 'exp-0002', decision: 'keep', commit: true })).toMatchInlineSnapshot(`
    {
      "error": "invalid_project: Other changes are staged for a commit: notes.txt. Nothing was changed. Commit or unstage them, or leave out commit.",
    }
  `);
  expect(train()).toBe(TRAIN_PY);
  expect(await readCampaign(lab)).toMatchObject({ incumbent: 'exp-0001' });
  expect(inProject('status', '--porcelain')).toContain('A  notes.txt');
});

it('runs the repository’s hooks, and takes everything back when one refuses', async () => {
  const { call, inProject, directory, train, lab } = await finished({ git: true });
  const hook = join(directory, '.git', 'hooks', 'pre-commit');
  mkdirSync(join(directory, '.git', 'hooks'), { recursive: true });
  writeFileSync(hook, '#!/bin/sh\necho "the linter says no" >&2\nexit 1\n');
  chmodSync(hook, 0o755);
  expect((await call({ experiment_id: 'exp-0002', decision: 'keep', commit: true })).error).toContain(
    'its last words: "the linter says no"',
  );
  expect(train()).toBe(TRAIN_PY);
  expect(inProject('diff', '--cached', '--name-only')).toBe('');
  expect(await readCampaign(lab)).toMatchObject({ incumbent: 'exp-0001' });
});

it('refuses to keep where the project has changed since: the result would be code that never ran', async () => {
  const { call, path, train } = await finished();
  writeFileSync(path, `${TRAIN_PY}# mine\n`);
  expect(await call({ experiment_id: 'exp-0002', decision: 'keep' })).toMatchInlineSnapshot(`
    {
      "error": "invalid_code: train.py is no longer what exp-0002 started from: with its change the result would be code that never ran. Nothing was changed. Launch its change anew on the project as it is, and keep that run; or put train.py back.",
    }
  `);
  expect(train()).toBe(`${TRAIN_PY}# mine\n`);
});

it('refuses the second of two changes of one base, which never ran together', async () => {
  const { call, train } = await finished();
  await call({ experiment_id: 'exp-0002', decision: 'keep' });
  expect((await call({ experiment_id: 'exp-0003', decision: 'keep' })).error).toContain(
    'train.py is no longer what exp-0003',
  );
  expect(train()).toBe(LARGER);
});

it('leaves a file that the experiment did not touch, and one that may not be changed, as the user has them', async () => {
  const { call, directory, path } = await finished();
  writeFileSync(join(directory, 'README.md'), 'mine');
  chmodSync(path, 0o600);
  await call({ experiment_id: 'exp-0002', decision: 'keep' });
  expect(readFileSync(join(directory, 'README.md'), 'utf8')).toBe('mine');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(existsSync(`${path}.autoresearch-new`)).toBe(false);
});

it('adds a file that the experiment has, but never over one that git ignores', async () => {
  const { lab, directory, call } = await finished();
  const yaml = join(directory, 'autoresearch.yaml');
  writeFileSync(yaml, 'campaign: test\neditable: [train.py, extra.py]\n');
  const wider = await connectClient(async () => ({ ...lab, project: await readProject(directory) }));
  const workdir = join(directory, '.autoresearch', 'workdirs', 'a');
  mkdirSync(workdir, { recursive: true });
  for (const [name, text] of [
    ['train.py', LARGER.replace('0.08', '0.09')],
    ['extra.py', 'X = 1\n'],
  ] as const)
    writeFileSync(join(workdir, name), text);
  const decide = () =>
    callTool(wider, 'record_decision', { experiment_id: 'exp-0005', decision: 'keep', reason: 'it is better' });
  VALUES['exp-0005'] = 0.94;
  await callTool(wider, 'launch_experiment', { description: 'two files', workdir: '.autoresearch/workdirs/a' });
  await lab.sleep(100_000);
  writeFileSync(join(directory, '.gitignore'), 'extra.py\n');
  writeFileSync(join(directory, 'extra.py'), 'mine');
  expect((await decide()).error).toContain('extra.py is there, but git ignores it');
  expect(readFileSync(join(directory, 'train.py'), 'utf8')).toBe(TRAIN_PY);
  rmSync(join(directory, 'extra.py'));
  expect((await decide()).structured).toMatchObject({ changed: ['extra.py', 'train.py'] });
  expect(readFileSync(join(directory, 'extra.py'), 'utf8')).toBe('X = 1\n');
  expect((await call({ experiment_id: 'exp-0001', decision: 'keep' })).error).toContain('train.py is no longer what');
});

it('records the verdict that it rests on, with all runs of the code as evidence', async () => {
  const noise = [0, 1e-4, -1e-4, 5e-5, -5e-5, 0];
  const { lab, directory } = await createTestLab({
    clusters: 1,
    run: (task) => {
      const isLarger = task.envs['EXPERIMENT_DESC'] === 'larger steps';
      return {
        seconds: 60,
        log: wrapperLine(task) + summaryBlock((isLarger ? 0.95 : 0.97) + (noise[Number(task.name.at(-1)) - 1] ?? 0)),
      };
    },
  });
  const client = await connectClient(async () => lab);
  const launch = (args: object) => callTool(client, 'launch_wave', { ...args });
  await launch({ experiments: [{ description: 'larger steps', overrides: { LEARNING_RATE: 0.08 } }], replicates: 3 });
  await lab.sleep(1_000_000);
  // Where in the wave each run stands is the plan's business.
  await callTool(client, 'fetch_result', { wave_id: 'wave-001' });
  const id = (await readExperiments(lab)).find(({ overrides }) => overrides['LEARNING_RATE'] === 0.08)?.id ?? '';
  const answer = await callTool(client, 'record_decision', {
    experiment_id: id,
    decision: 'keep',
    reason: 'three of three are better',
  });
  expect(answer.structured).toMatchObject({ decision: 'keep', verdict: 'win', incumbent: id });
  expect(answer.text).not.toContain('without evidence');
  expect(readFileSync(join(directory, '.autoresearch', 'findings.md'), 'utf8')).toMatch(
    /: Kept: exp-\d+, .*verdict: win\. .*n = 3;/,
  );
  const again = await callTool(client, 'record_decision', { experiment_id: id, decision: 'keep', reason: 'still' });
  expect(again.structured).toMatchObject({ verdict: 'win' });
  const twin = (await readExperiments(lab)).find(({ replicateOf }) => replicateOf === id)?.id ?? '';
  const luck = await callTool(client, 'record_decision', {
    experiment_id: twin,
    decision: 'keep',
    reason: 'lower still',
  });
  expect(luck.error).toContain(`${twin} runs the incumbent's own code (${id}), so there is nothing to keep`);
});

it('takes a decision back for another, with the incumbent before it, and says that the files are as they were', async () => {
  const { call, train } = await finished();
  await call({ experiment_id: 'exp-0002', decision: 'keep' });
  expect(
    await call({ experiment_id: 'exp-0002', decision: 'discard', reason: 'a second look' }),
  ).toMatchInlineSnapshot(`
    {
      "structured": {
        "changed": [],
        "decision": "discard",
        "incumbent": "exp-0001",
        "notes": [
          "It replaces the decision "keep: it is better".",
          "The project’s files still hold its change: take it out of them yourself.",
        ],
      },
      "text": "exp-0002 discarded; the incumbent is exp-0001. It replaces the decision "keep: it is better". The project’s files still hold its change: take it out of them yourself.",
    }
  `);
  expect(train()).toBe(LARGER);
});

it('discards a crash with its reason, and keeps nothing that has no result or has not ended', async () => {
  const { call, lab } = await finished();
  expect((await call({ experiment_id: 'exp-0004', decision: 'discard', reason: 'too large' })).text).toContain(
    'exp-0004 discarded; the incumbent is exp-0001.',
  );
  expect((await call({ experiment_id: 'exp-0004', decision: 'keep' })).error).toContain('has no result (error)');
  expect((await call({ experiment_id: 'exp-0009', decision: 'keep' })).error).toContain('not_found');
  await callTool(await connectClient(async () => lab), 'launch_experiment', {
    description: 'wider',
    overrides: { DEPTH: 10 },
  });
  expect((await call({ experiment_id: 'exp-0005', decision: 'discard' })).error).toContain('cancel_experiments');
});

it('shows the decision with the run: its kind in brief, its reason in full', async () => {
  const { call, lab } = await finished();
  await call({ experiment_id: 'exp-0002', decision: 'keep' });
  await call({ experiment_id: 'exp-0003', decision: 'discard', reason: 'too deep' });
  const client = await connectClient(async () => lab);
  const rows = async (detail: string) =>
    (await callTool(client, 'fetch_result', { experiment_ids: ['exp-0001', 'exp-0002', 'exp-0003'], detail }))
      .structured;
  const [first, second, third] = ['exp-0001', 'exp-0002', 'exp-0003'].map((experiment_id) => ({ experiment_id }));
  const brief = await rows('brief');
  expect(brief).toMatchObject({
    experiments: [first, { ...second, decision: 'keep without evidence' }, { ...third, decision: 'discard' }],
  });
  expect(JSON.stringify(brief)).not.toMatch(/"exp-0001"[^}]*"decision"/);
  expect(await rows('full')).toMatchObject({
    experiments: [first, { decision: 'keep without evidence: it is better' }, { decision: 'discard: too deep' }],
  });
});

it('takes a decision, and shows it everywhere, while the machines do not answer', async () => {
  const { call, lab, directory, down } = await finished();
  await callTool(await connectClient(async () => lab), 'launch_experiment', {
    description: 'x',
    overrides: { DEPTH: 9 },
  });
  down();
  expect(await call({ experiment_id: 'exp-0002', decision: 'keep' })).toMatchObject({
    structured: { incumbent: 'exp-0002', notes: [expect.stringMatching(/^The machines could not be asked/)] },
  });
  const client = await connectClient(async () => lab);
  const read = async (uri: string) => JSON.stringify((await client.readResource({ uri })).contents);
  expect(await read('autoresearch://campaign')).toContain('The machines could not be asked, so this is what was known');
  expect(await read('autoresearch://findings')).toContain('Kept, without evidence: exp-0002');
  expect(await read('autoresearch://leaderboard')).toContain('keep without evidence: it is better');
  expect(await read('autoresearch://experiments/exp-0002/diff')).toContain('LEARNING_RATE = 0.08');
  expect((await callTool(client, 'analyze_results', {})).text).toMatch(/^The machines could not be asked/);
  expect(readFileSync(join(directory, 'train.py'), 'utf8')).toBe(LARGER);
});

it('gives as evidence what all runs of both say, not only the one that is kept', async () => {
  const { lab } = await plantedLab(
    ({ overrides }, noise) => ({ value: 1 - (overrides['DEPTH'] === 6 ? 0.01 : 0) + 1e-4 * noise }),
    { clusters: 1 },
  );
  const client = await connectClient(async () => lab);
  const experiments = [{ description: 'six layers', overrides: { DEPTH: 6 } }];
  await runWave(client, 'launch_wave', { experiments, replicates: 3 });
  const six = (await readExperiments(lab)).find(({ description }) => description === 'six layers');
  await callTool(client, 'record_decision', { experiment_id: six?.id, decision: 'keep', reason: 'shallow is enough' });
  expect((await lab.store.findings()).find(({ kind }) => kind === 'decision')?.text).toMatch(
    /^Kept: exp-\d{4}, six layers\. val_bpb 0\.9[89]\d+, −0\.0\d+ against exp-0001 \(\d\.\d+\); −0\.0(10|09)\d* by all runs with the machines taken out \(P>0\.99, n=3 against 3, df=4\); verdict: win\. Reason: shallow is enough$/,
  );
});
