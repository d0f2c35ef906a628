import { z } from 'zod';
import type { ClusterId } from '../../domain/ids.js';
import { aliveClusters, type Lab, readCampaign } from '../../lab/lab.js';
import { tearDown } from '../../lab/tear-down.js';
import { bold, dim } from '../inspect/table.js';
import { shownPath } from '../shown-path.js';
import { demoProject, PACKAGE_FOLDER } from './demo-project.js';
import { DEMO_WAVE } from './demo-wave.js';
import { startProgress } from './progress.js';
import { ensurePython, TRAINING_PACKAGES } from './python-environment.js';
import { type DemoClient, startServer } from './server-client.js';
import { nextSteps, resultScreen } from './show-results.js';

interface DemoOptions {
  readonly project: string | undefined;
  readonly openWorkshop: (folder: string) => { openLab(): Promise<Lab>; close(): Promise<void> };
}

const Launched = z.looseObject({
  experiment_ids: z.array(z.string()),
  clusters: z.array(z.string()),
  duplicates: z.array(z.looseObject({ experiment_id: z.string() })).default([]),
});
const Fetched = z.looseObject({ ended: z.number(), total: z.number() });
const Anything = z.looseObject({});

/** Of one waiting call: short, because the server looks the more seldom the longer it waits, and somebody watches. */
const WAIT_SECONDS = 8;
/** As shells say it: ended by Ctrl-C. */
const INTERRUPTED = 130;

const say = (text: string) => void process.stdout.write(`${text}\n`);
const step = (title: string) => say(`\n${bold(title)}`);

/** Whatever happens, Ctrl-C included, no process of the demo is left behind. */
export async function runDemo({ project, openWorkshop }: DemoOptions): Promise<void> {
  const leaving = new AbortController();
  const leave = () => {
    if (leaving.signal.aborted) process.exit(INTERRUPTED); // asked twice
    leaving.abort();
  };
  process.on('SIGINT', leave).on('SIGTERM', leave);

  const folder = await demoProject(project);
  const workshop = openWorkshop(folder);
  const lab = await workshop.openLab();
  const before = await clustersUp(lab);
  let client: DemoClient | null = null;
  try {
    say(`${bold('autoresearch-mcp demo')}: nine real training runs on this machine, two at a time, about two minutes.`);
    step('1. Python for the training runs');
    const packages = [...TRAINING_PACKAGES];
    const { path } = await ensurePython({ folder: PACKAGE_FOLDER, packages, say: indented, signal: leaving.signal });

    step('2. The server, started over stdio as an agent’s client does');
    const command = [process.execPath, `${PACKAGE_FOLDER}/dist/bin.js`, '--project', folder] as const;
    indented(`node ${command.slice(1).map(shownPath).join(' ')}`);
    client = await startServer([...command], path);
    indented(
      `autoresearch-mcp ${client.version} answers, with ${client.tools.length} tools: ${client.tools.join(', ')}`,
    );

    step('3. A wave');
    const ids = await runWave(client, leaving.signal);

    step('4. What came of it');
    say(await resultScreen(lab, ids));

    step('5. Clearing up');
    await endClusters(client, lab, before);
    say(nextSteps(folder));
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    process.exitCode = INTERRUPTED;
  } finally {
    await client?.close();
    const ended = await endWithoutServer(lab, before);
    if (leaving.signal.aborted)
      say(
        `\nStopped: ${ended.length > 0 ? `${ended.join(', ')} ended, ` : ''}nothing is left running. Results that were in are kept.`,
      );
    await workshop.close();
    process.off('SIGINT', leave).off('SIGTERM', leave);
  }
}

const indented = (line: string) => say(`   ${line}`);

/** Launches the wave and waits for it; answers the ids of the experiments that answer its questions, old and new. */
async function runWave(client: DemoClient, signal: AbortSignal): Promise<string[]> {
  const launch = await calling(client, 'launch_wave', DEMO_WAVE, Launched, signal);
  const { experiment_ids, duplicates, clusters } = launch;
  const ids = [...new Set([...experiment_ids, ...duplicates.map(({ experiment_id }) => experiment_id)])];
  if (experiment_ids.length === 0) indented(dim('What ran before is not paid for twice: its results are below.'));
  if (clusters.length > 0) await calling(client, 'list_clusters_by_gpu', {}, Anything, signal);

  const wait = { experiment_ids: ids, wait_seconds: WAIT_SECONDS };
  indented(`→ fetch_result ${dim(JSON.stringify({ ...wait, experiment_ids: [ids[0], '…'] }))} until all have ended`);
  const progress = startProgress(ids.length);
  try {
    for (;;) {
      const { output, text } = await client.call('fetch_result', wait, Fetched, {
        signal,
        onProgress: progress.update,
      });
      progress.update(output.ended);
      if (output.ended < output.total) continue;
      progress.stop();
      indented(`← ${text}`);
      return ids;
    }
  } finally {
    progress.stop();
  }
}

async function calling<Output>(
  client: DemoClient,
  name: string,
  args: object,
  output: z.ZodType<Output>,
  signal: AbortSignal,
): Promise<Output> {
  indented(`→ ${name} ${dim(JSON.stringify(args))}`);
  const answer = await client.call(name, args, output, { signal });
  indented(`← ${answer.text}`);
  return answer.output;
}

const clustersUp = async (lab: Lab): Promise<ClusterId[]> => aliveClusters(await readCampaign(lab)).map(({ id }) => id);

/** Only what the demo launched: an agent may be at work in the same project. */
async function endClusters(client: DemoClient, lab: Lab, before: readonly ClusterId[]): Promise<void> {
  const clusters = (await clustersUp(lab)).filter((id) => !before.includes(id));
  if (clusters.length === 0) return indented('Nothing to end: the demo launched no clusters.');
  await calling(client, 'teardown', { clusters }, Anything, AbortSignal.timeout(60_000));
}

/** For when the server has gone before its clusters: after Ctrl-C, which it gets too, or an error. */
async function endWithoutServer(lab: Lab, before: readonly ClusterId[]): Promise<ClusterId[]> {
  const clusters = (await clustersUp(lab)).filter((id) => !before.includes(id));
  if (clusters.length > 0) await tearDown(lab, { clusters, idleOnly: false, all: false, dryRun: false });
  return clusters;
}
