import { cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CampaignReport, ExperimentReport, FolderReport, WaveReport } from '../../src/cli/inspect/report.js';
import { readExperiments } from '../../src/lab/lab.js';
import { callTool, connectClient } from '../support/client.js';
import { runCommand } from '../support/command-line.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab, temporaryProject } from '../support/test-lab.js';

const WAVE = {
  description: 'does depth matter?',
  design: { factors: { LEARNING_RATE: [0.02, 0.08], DEPTH: [4, 6] } },
};

const VALUES = new Map([
  ['exp-0001', 0.97],
  ['exp-0002', 0.99],
  ['exp-0003', 0.96],
  ['exp-0005', 0.95],
]);

/** Five runs of a minute on two clusters; the fourth crashes. */
async function campaign(options: Parameters<typeof createTestLab>[0] = {}) {
  const simulated = await createTestLab({
    clusters: 2,
    run: (task) => {
      const value = VALUES.get(task.name) ?? null;
      const log =
        wrapperLine(task) + (value === null ? 'RuntimeError: \u001b[31mboom\u001b[0m\n' : summaryBlock(value));
      return { seconds: 60, log, ...(value === null ? { exitCode: 1 } : {}) };
    },
    ...options,
  });
  const client = await connectClient(async () => simulated.lab);
  await callTool(client, 'launch_wave', WAVE);
  const wait = async () => callTool(client, 'fetch_result', { wave_id: 'wave-001', wait_seconds: 50 });
  return { ...simulated, wait, inspect: inspecting(simulated) };
}

const inspecting =
  ({ lab, directory }: Awaited<ReturnType<typeof createTestLab>>) =>
  async (...args: string[]) => {
    const { stdout, ...rest } = await runCommand(['inspect', ...args, '--project', directory], { [directory]: lab });
    return { stdout: stdout.replaceAll(directory, '<project>'), ...rest };
  };

const filesUnder = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path, entry.isFile() ? `${statSync(path).mtimeMs} ${readFileSync(path, 'utf8')}` : ''];
    }),
  );

it('shows what was decided of a run and why, on every screen that shows the run', async () => {
  const { inspect, wait, lab } = await campaign();
  for (let call = 0; call < 5; call++) await wait();
  const client = await connectClient(async () => lab);
  await callTool(client, 'record_decision', {
    experiment_id: 'exp-0005',
    decision: 'keep',
    reason: 'slow and \u001b[31msteady',
  });
  expect((await inspect()).stdout).toMatch(
    /exp-0005 +0\.950000 +incumbent.*\[keep without evidence\] LEARNING_RATE=0\.02/,
  );
  expect((await inspect('wave-001')).stdout).toContain('[keep without evidence] LEARNING_RATE=0.02');
  const { stdout } = await inspect('exp-0005');
  expect(stdout).toMatch(/decision +keep without evidence: slow and steady\n +verdict none against exp-0001\n/);
  const report = ExperimentReport.parse(JSON.parse((await inspect('exp-0005', '--json')).stdout));
  expect(report.experiment.decision).toMatchObject({ kind: 'keep', verdict: null, against: 'exp-0001', commit: null });
});

it('shows the whole campaign on one screen, a run without a result as a dash and never as 0', async () => {
  const { inspect, wait } = await campaign();
  for (let call = 0; call < 5; call++) await wait();
  expect((await inspect()).stdout).toMatchInlineSnapshot(`
    "test  minimize val_bpb  <project>
      incumbent    0.970000  exp-0001  baseline: the unchanged base
      best so far  0.950000 val_bpb  exp-0005  −0.020000 against the incumbent  LEARNING_RATE=0.02 DEPTH=6
                   No noise floor is known yet, so a better value is not a win: it may be chance. Replicates will tell.
      experiments  4 done, 1 crashed
      throughput   100 experiments/h; clusters busy 83 % of the time
                   one GPU would have needed 5.0 min for what took 3.0 min: 1.7× as fast
      cost         2 of 2 clusters have no price (autoresearch.yaml: prices)

    Fleet: 2 clusters up, 0 ended
      cluster  state  what    running  waiting  idle in  price  on
      gpu-01   up     H100:1        0        0     idle      –  simulated
      gpu-02   up     H100:1        0        0     idle      –  simulated

    1 wave
      wave       ended  best val_bpb  by        what
      wave-001  5 of 5      0.950000  exp-0005  full_factorial: LEARNING_RATE × DEPTH; does depth matter?

    Leaderboard: 4 experiments with a result
      #  experiment   val_bpb  − incumbent  state   ran  on      what
      1  exp-0005    0.950000    −0.020000  done   60 s  gpu-01  LEARNING_RATE=0.02 DEPTH=6
      2  exp-0003    0.960000    −0.010000  done   60 s  gpu-01  LEARNING_RATE=0.08 DEPTH=4
      3  exp-0001    0.970000    incumbent  done   60 s  gpu-01  baseline: the unchanged base
      4  exp-0002    0.990000    +0.020000  done   60 s  gpu-02  LEARNING_RATE=0.08 DEPTH=6

    Without a result: 1 experiment
      #  experiment  val_bpb  − incumbent  state            ran  on      what
      –  exp-0004          –            –  crashed: error  60 s  gpu-02  LEARNING_RATE=0.02 DEPTH=4

    More: autoresearch-mcp inspect wave-001 | exp-0005, --watch, --json
    "
  `);
});

it('shows what the campaign and each run cost, and what is idle of it', async () => {
  const { inspect, wait } = await campaign({
    pricePerHourUsd: 3,
    files: { 'autoresearch.yaml': 'campaign: test\nlimits: { max_cost_usd: 5 }\n' },
  });
  for (let call = 0; call < 5; call++) await wait();
  const { stdout } = await inspect();
  expect(stdout.split('\n').filter((line) => /cost|\$|exp-0004/.test(line))).toMatchInlineSnapshot(`
    [
      "  cost         $0.30, of it $0.05 (17 %) idle; $6.00/h now",
      "               $4.70 left of limits.max_cost_usd, $5.00",
      "  gpu-01   up     H100:1        0        0     idle  $3.00/h  simulated",
      "  gpu-02   up     H100:1        0        0     idle  $3.00/h  simulated",
      "  #  experiment   val_bpb  − incumbent  state   ran   cost  on      what",
      "  1  exp-0005    0.950000    −0.020000  done   60 s  $0.05  gpu-01  LEARNING_RATE=0.02 DEPTH=6",
      "  2  exp-0003    0.960000    −0.010000  done   60 s  $0.05  gpu-01  LEARNING_RATE=0.08 DEPTH=4",
      "  3  exp-0001    0.970000    incumbent  done   60 s  $0.05  gpu-01  baseline: the unchanged base",
      "  4  exp-0002    0.990000    +0.020000  done   60 s  $0.05  gpu-02  LEARNING_RATE=0.08 DEPTH=6",
      "  #  experiment  val_bpb  − incumbent  state            ran   cost  on      what",
      "  –  exp-0004          –            –  crashed: error  60 s  $0.05  gpu-02  LEARNING_RATE=0.02 DEPTH=4",
    ]
  `);
  expect((await inspect('exp-0003')).stdout).toContain('cost         $0.05 at $3.00/h');
  const report = CampaignReport.parse(JSON.parse((await inspect('--json')).stdout));
  expect(report.cost).toMatchObject({ max_usd: 5, clusters: 2, clusters_without_price: 0, usd_per_hour: 6 });
  expect(report.experiments.map(({ cost_usd }) => cost_usd)).toEqual([0.05, 0.05, 0.05, 0.05, 0.05]);
});

it('shows a wave with what each factor did, and does not call a lower value a win', async () => {
  const { inspect, wait } = await campaign();
  for (let call = 0; call < 5; call++) await wait();
  expect((await inspect('wave-1')).stdout).toMatchInlineSnapshot(`
    "wave-001 of test  minimize val_bpb  does depth matter?
      full_factorial over LEARNING_RATE {0.02, 0.08} × DEPTH {4, 6}; 5 of 5 experiments ended

      #  experiment   val_bpb  − incumbent  state            ran  on      what
      1  exp-0005    0.950000    −0.020000  done            60 s  gpu-01  LEARNING_RATE=0.02 DEPTH=6
      2  exp-0003    0.960000    −0.010000  done            60 s  gpu-01  LEARNING_RATE=0.08 DEPTH=4
      3  exp-0001    0.970000    incumbent  done            60 s  gpu-01  baseline: the unchanged base
      4  exp-0002    0.990000    +0.020000  done            60 s  gpu-02  LEARNING_RATE=0.08 DEPTH=6
      –  exp-0004           –            –  crashed: error  60 s  gpu-02  LEARNING_RATE=0.02 DEPTH=4

    What each factor did (means over the levels of the others)
      factor         level  mean val_bpb  n  largest − smallest mean
      LEARNING_RATE   0.02      0.950000  1                 0.025000
                      0.08      0.975000  2
      DEPTH              4      0.960000  1                 0.010000
                         6      0.970000  2
      n differs between levels, for some runs have no result: part of a difference may be the other factors’.

    No noise floor is known yet, so a better value is not a win: it may be chance. Replicates will tell.
    "
  `);
});

it('shows an experiment with its diff and the end of its log, cleaned of what a terminal would obey', async () => {
  const { inspect, wait } = await campaign();
  for (let call = 0; call < 5; call++) await wait();
  expect((await inspect('exp-0003')).stdout).toMatchInlineSnapshot(`
    "exp-0003  LEARNING_RATE=0.08 DEPTH=4
      state        done
      val_bpb      0.960000
      − incumbent  −0.010000  no verdict: no noise floor is known yet
      wave         wave-001
      ran          60 s on gpu-01 (simulated)
      code         ec3d464da3d6, base 506a380d711e

    As the job printed it
      training_seconds  300.1
      total_seconds     325.9
      peak_vram_mb      45060.2
      mfu_percent       39.8
      total_tokens_M    499.6
      num_steps         953
      num_params_M      50.3
      depth             8

    Diff against its base
    --- a/train.py
    +++ b/train.py
    @@ -1,4 +1,4 @@
    -LEARNING_RATE = 0.04  # step size
    -DEPTH = 8  # layers
    +LEARNING_RATE = 0.08  # step size
    +DEPTH = 4  # layers
     BETAS = (0.8, 0.95)
     print("---")

    Log, the job’s own words
    AUTORESEARCH_SNAPSHOT nonce-3 ec3d464da3d6b2d1de0dd51141cddafec59d651779f1c1ae6752e3868877fd0c
    Model config: {'n_layer': 8}
    step 00001 (50.0%) | loss: 5.1 | remaining: 1s
    ---
    val_bpb:          0.960000
    training_seconds: 300.1
    total_seconds:    325.9
    peak_vram_mb:     45060.2
    mfu_percent:      39.80
    total_tokens_M:   499.6
    num_steps:        953
    num_params_M:     50.3
    depth:            8
    "
  `);
  const crashed = await inspect('exp-0004', '--json');
  expect(ExperimentReport.parse(JSON.parse(crashed.stdout))).toMatchObject({
    experiment: { state: 'crashed', value: null, rank: null },
    crash: { cause: 'error' },
  });
  expect((await inspect('exp-4')).stdout).toContain('RuntimeError: boom');
});

it('prints the same facts as JSON, in the shape that is documented', async () => {
  const { inspect, wait } = await campaign();
  for (let call = 0; call < 5; call++) await wait();
  const whole = CampaignReport.parse(JSON.parse((await inspect('--json')).stdout));
  expect(whole.experiments.map(({ rank, value }) => [rank, value])).toEqual([
    [1, 0.95],
    [2, 0.96],
    [3, 0.97],
    [4, 0.99],
    [null, null],
  ]);
  expect(whole.best).toMatchObject({ experiment_id: 'exp-0005', verdict: null });
  const wave = WaveReport.parse(JSON.parse((await inspect('wave-001', '--json')).stdout));
  expect(wave.main_effects.map(({ factor, levels }) => [factor, levels.map(({ n }) => n)])).toEqual([
    ['LEARNING_RATE', [1, 2]],
    ['DEPTH', [1, 2]],
  ]);
});

it('writes nothing and takes no lease, while it shows jobs that ended after the last server was killed', async () => {
  const { inspect, directory, lab, another } = await campaign();
  await lab.store.lease.release(); // what a killed server's lease comes to
  await lab.sleep(600_000);
  const reader = await another();
  const before = filesUnder(join(directory, '.autoresearch'));
  const stored = (await readExperiments(reader)).map(({ state }) => state);
  expect(new Set(stored)).not.toContain('done');

  const shown = CampaignReport.parse(JSON.parse((await inspect('--json')).stdout));
  expect(shown.counts).toEqual({ done: 4, crashed: 1 });
  expect(shown.incumbent).toBe('exp-0001');
  await inspect('exp-0001');
  await inspect('wave-001');
  expect(filesUnder(join(directory, '.autoresearch'))).toEqual(before);
});

it('shows what was stored, and says so, when the machines do not answer', async () => {
  const { inspect, backend } = await campaign();
  backend.clusters = async () => {
    throw new Error('connection refused');
  };
  const { stdout, exitCode } = await inspect();
  expect(exitCode).toBe(0);
  expect(stdout).toContain('! The machines did not answer (connection refused): this is what was stored.');
});

it('shows the campaigns beneath a folder that holds none, and the only one in full', async () => {
  const one = await campaign();
  expect(FolderReport.safeParse(await inspectAbove([one])).success).toBe(false);
  const both = FolderReport.parse(await inspectAbove([one, await campaign()]));
  expect(both.campaigns.map(({ campaign: name, best }) => [name, best])).toEqual([
    ['test', null],
    ['test', null],
  ]);
});

/** The campaigns, copied to where one folder is above them all. */
async function inspectAbove(campaigns: readonly Awaited<ReturnType<typeof campaign>>[]): Promise<unknown> {
  const above = temporaryProject();
  const labs = Object.fromEntries(
    await Promise.all(
      campaigns.map(async ({ directory, lab }, index) => {
        const place = join(above, 'projects', `project-${index}`);
        cpSync(directory, place, { recursive: true });
        return [place, { ...lab, project: { ...lab.project, directory: place } }];
      }),
    ),
  );
  const { stdout } = await runCommand(['inspect', '--json', '--project', above], labs);
  return JSON.parse(stdout);
}

it.each([
  { args: ['wave-009'], says: /no wave-009\.\nIts last wave is wave-001/ },
  { args: ['exp-0099'], says: /no exp-0099\.\nIts last experiment is exp-0005/ },
  { args: ['everything'], says: /nothing to inspect by the name "everything"\.\nGive a wave/ },
])('answers $args with what is wrong and what there is', async ({ args, says }) => {
  const { inspect } = await campaign();
  const { stdout, stderr, exitCode } = await inspect(...args);
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
  expect(stderr).toMatch(says);
});

it('says how to start where there is no campaign at all', async () => {
  const empty = temporaryProject();
  const { stderr, exitCode } = await runCommand(['inspect', '--project', empty], {});
  expect(exitCode).toBe(1);
  expect(stderr).toContain('autoresearch-mcp demo');
});
