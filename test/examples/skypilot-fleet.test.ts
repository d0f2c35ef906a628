import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { BACKENDS } from '../../src/adapters/index.js';
import { draw, inspect } from '../../src/cli/inspect/inspect.js';
import { type Hire, total } from '../../src/domain/cost.js';
import { placeRuns } from '../../src/domain/placement.js';
import { priceOf } from '../../src/domain/price.js';
import { ProjectFile } from '../../src/domain/project.js';
import { TOOLS } from '../../src/mcp/tools/index.js';
import { parseTask } from '../../src/store/read-project.js';
import { callTool, connectClient } from '../support/client.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab } from '../support/test-lab.js';

const FOLDER = new URL('../../examples/skypilot-fleet/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, FOLDER), 'utf8');
const README = read('README.md');
const TASK = read('experiment.yaml');
const VARIANTS = readdirSync(FOLDER).filter((name) => /^autoresearch\..*\.yaml$/.test(name));
const settingsOf = (name: string) => ProjectFile.parse(parse(read(name)));

const RUN_MINUTES = 6;
const PRICE = 2;

/** A lab on one of the variants, with as many H100 as it may have and runs of six minutes. */
async function fleet(yaml: string, kinds: Readonly<Record<string, number>> = { 'H100:1': 16, 'H200:1': 2 }) {
  const simulated = await createTestLab({
    capabilities: { choosesAccelerators: true },
    kinds,
    run: (task) => ({ seconds: RUN_MINUTES * 60, log: wrapperLine(task) + summaryBlock(1) }),
    files: { 'autoresearch.yaml': yaml, 'experiment.yaml': TASK },
  });
  const client = await connectClient(async () => simulated.lab);
  onTestFinished(() => client.close());
  /** So many runs, the unchanged base among them. */
  const launch = (runs: number) =>
    runs === 1
      ? callTool(client, 'launch_experiment', { description: 'the unchanged base', tier: 'screen' })
      : callTool(client, 'launch_wave', {
          tier: 'screen',
          experiments: Array.from({ length: runs - 1 }, (_, index) => ({
            description: `run ${index}`,
            overrides: { LEARNING_RATE: (index + 1) / 1000 },
          })),
        });
  return { ...simulated, launch, call: (name: string) => callTool(client, name, {}) };
}

describe('the settings', () => {
  it('are there for Kubernetes, Slurm and a cloud', () => {
    expect(VARIANTS).toEqual(['autoresearch.cloud.yaml', 'autoresearch.kubernetes.yaml', 'autoresearch.slurm.yaml']);
  });

  it.each(VARIANTS)('%s has no field or value that a project may not have, and caps the bill', (name) => {
    const { backend, infra, limits } = settingsOf(name);
    expect(Object.keys(BACKENDS)).toContain(backend);
    expect(backend).toBe('skypilot');
    // SkyPilot has no catalogue by the name k8s: an offer would not be found.
    expect(infra).toMatch(/^(kubernetes|slurm\/[\w-]+|aws)$/);
    expect(limits.max_cost_usd).not.toBeNull();
    expect(limits.max_cost_per_hour_usd).not.toBeNull();
  });

  it.each(VARIANTS)('%s asks in every tier for what the task may run on', (name) => {
    const { tiers } = settingsOf(name);
    expect(tiers['screen']).toEqual(parseTask(TASK, 'experiment.yaml').resources?.accelerators);
  });

  it.each(VARIANTS)('%s names prices just where the catalogue has none', (name) => {
    const { prices, tiers } = settingsOf(name);
    const known = Object.values(tiers)
      .flat()
      .map((accelerators) => priceOf({ accelerators, pricePerHourUsd: null }, prices));
    expect(known).toEqual(name.includes('cloud') ? [null, null] : [PRICE, 2.3]);
  });

  it.each(VARIANTS)('%s has room in its limits for all its clusters and a first wave of sixteen', (name) => {
    const { limits, idle_minutes } = settingsOf(name);
    expect(limits.max_clusters * PRICE).toBeLessThanOrEqual(limits.max_cost_per_hour_usd ?? 0);
    const minutes = 16 * limits.job_timeout_minutes + limits.max_clusters * idle_minutes;
    expect((minutes * PRICE) / 60).toBeLessThan(limits.max_cost_usd ?? 0);
  });
});

describe('the task', () => {
  const core = parse(readFileSync(new URL('../../python-core/experiment.yaml', FOLDER), 'utf8'));
  const task = parseTask(TASK, 'experiment.yaml');

  it('can be run', () => {
    expect(task.resources?.accelerators).toEqual(['H100:1']);
    expect(task.envs).toEqual(core.envs);
  });

  it('installs the very versions that python-core does', () => {
    const pins = (text: string) => [...new Set(text.match(/\b[a-z]+(?:==|>=)\d[\d.,<]*/g))].sort();
    expect(pins(core.setup)).toHaveLength(5);
    expect(pins(task.setup ?? '')).toEqual(pins(core.setup));
  });

  it('judges a run as python-core does', () => {
    const afterTraining = (text: string) => text.slice(text.indexOf('exit_code='));
    expect(afterTraining(task.run)).toBe(afterTraining(core.run));
    expect(task.run).toContain('train.py 2>&1 | tee run.log\n');
  });
});

describe('what it costs', () => {
  const rows = [
    ...README.matchAll(/^\| (\d+) \| (\d+) \| (\d+) min \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$/gm),
  ]
    .map(([, ...cells]) => cells.map(Number))
    .map(([runs = 0, clusters = 0, minutes, ran, idle, together, reckoned]) => ({
      runs,
      clusters,
      costs: { minutes, ran, idle, together },
      reckoned,
    }));
  const cents = (hires: readonly Hire[]) => Number((total(hires).usd ?? Number.NaN).toFixed(2));

  it('has a row for each size of wave', () => {
    expect(rows.map(({ runs, clusters }) => `${runs} on ${clusters}`)).toEqual([
      '1 on 1',
      '4 on 4',
      '8 on 4',
      '16 on 4',
      '16 on 8',
      '16 on 16',
    ]);
  });

  it.each(rows)(
    'is for $runs runs on $clusters clusters what the campaign’s own sums come to',
    ({ runs, clusters, costs }) => {
      const queues = Array.from({ length: clusters }, (_, cluster) => ({ cluster, busySeconds: 0 }));
      const placed = placeRuns(runs, RUN_MINUTES * 60, queues);
      const busy = queues.map(({ cluster }) => placed.filter((at) => at === cluster).length * RUN_MINUTES * 60);
      const hire = (seconds: number): Hire => ({ pricePerHourUsd: PRICE, seconds });
      expect({
        minutes: Math.max(...busy) / 60,
        ran: cents(busy.map(hire)),
        idle: cents(busy.map(() => hire(600))),
        together: cents(busy.map((seconds) => hire(seconds + 600))),
      }).toEqual(costs);
    },
  );

  it.each(rows)(
    'is at first reckoned by the tool with $reckoned for $runs runs on $clusters clusters',
    async ({ runs, clusters, reckoned }) => {
      const yaml = read('autoresearch.kubernetes.yaml')
        .replace(/max_clusters: \d+/, `max_clusters: ${clusters}`)
        .replace(/max_cost_per_hour_usd: \d+/, 'max_cost_per_hour_usd: 100');
      const { launch } = await fleet(yaml);
      const { structured } = await launch(runs);
      expect(structured).toMatchObject({ projected_usd: expect.closeTo(reckoned ?? Number.NaN, 2) });
    },
  );

  it('adds up in the sentences too', () => {
    expect(README).toContain(
      `4 × 8 × $2.00 = $${(4 * 8 * PRICE).toFixed(2)}, for at most ${(4 * 8 * 60) / RUN_MINUTES} runs`,
    );
    expect(README).toContain(`at 5 minutes, $${((4 * 5 * PRICE) / 60).toFixed(2)} for four`);
    expect(README).toContain(`600 for a night, which is up to $${((600 * PRICE) / 60).toFixed(2)}`);
  });
});

describe('the README', () => {
  it('shows of inspect what inspect shows', async () => {
    const { lab, directory, launch, call } = await fleet(read('autoresearch.kubernetes.yaml'));
    await launch(16);
    await lab.sleep(600_000);
    await call('campaign_status');
    const screen = draw(await inspect(directory, { kind: 'campaign' }, false, async () => lab)).split('\n');
    const [, block = ''] = /```\n( {2}experiments[\s\S]*?)```/.exec(README) ?? [];
    const missing = block
      .trimEnd()
      .split('\n')
      .filter((line) => !screen.some((shown) => shown.startsWith(line.replace(/…$/, ''))));
    expect(block.split('\n').length).toBeGreaterThan(6);
    expect(missing).toEqual([]);
  });

  it('quotes what the tool says when no GPU is free', async () => {
    const { launch } = await fleet(read('autoresearch.slurm.yaml'), { 'H100:1': 0, 'H200:1': 2 });
    const { error = '' } = await launch(5);
    const [, quoted = ''] = /\*(Free now: [^*]+)\*/.exec(README) ?? [];
    expect(error).toMatch(/^no_capacity: /);
    expect(error).toContain(quoted.replaceAll('\n', ' '));
  });

  it('warns of logs that end with their cluster for as long as the backend forgets them', async () => {
    const { lab, directory } = await fleet(read('autoresearch.slurm.yaml'));
    const backend = BACKENDS['skypilot']?.({ project: lab.project, stateDirectory: `${directory}/.autoresearch` });
    expect(backend?.capabilities.remembersJobs).toBe(false);
    expect(README).toContain('A cluster that ends takes its logs with it.');
  });

  it('names no tool that there is not, and no field that a project has not', () => {
    const words = [...README.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, word]) => word ?? '');
    const fields = [...README.matchAll(/`limits\.([a-z_]+)`/g)].map(([, field]) => field ?? '');
    const { limits, ...settings } = ProjectFile.parse({});
    const known = [
      ...TOOLS.flatMap(({ name, input }) => [name, ...Object.keys(input.shape)]),
      ...Object.keys(settings),
      ...Object.keys(limits),
      'no_capacity',
    ];
    expect(words.filter((word) => !known.includes(word))).toEqual([]);
    expect(fields.filter((field) => !(field in limits))).toEqual([]);
    expect(words).toEqual(expect.arrayContaining(['launch_wave', 'launch_experiment', 'list_clusters_by_gpu']));
  });

  it('registers the server as the other examples do', () => {
    const command = /claude mcp add autoresearch -- node \S+\/dist\/bin\.js --project "\$PWD"/;
    expect(README).toMatch(command);
    expect(read('../claude-code/README.md')).toMatch(command);
  });

  it('links and copies only what is there', () => {
    const links = [...README.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target ?? '');
    const copied = [...README.matchAll(/cp \$clone\/(\S+)/g)].flatMap(([, path = '']) => {
      const [, folder = '', names] = /^(.*)\{(.*)\}$/.exec(path) ?? [];
      return (names ? names.split(',').map((name) => `${folder}${name}`) : [path]).map((file) => `../../${file}`);
    });
    expect(copied).toHaveLength(5);
    const paths = [...links.filter((target) => !/^https?:/.test(target)), ...copied];
    expect(paths.filter((path) => !existsSync(fileURLToPath(new URL(path, FOLDER))))).toEqual([]);
  });

  it('stays short', () => {
    expect(README.split('\n').length).toBeLessThanOrEqual(130);
  });
});
