import { createHash } from 'node:crypto';
import ignore from 'ignore';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, jobName } from '../domain/experiment.js';
import type { TaskFile } from '../domain/project.js';
import { manifestText, type Snapshot } from '../domain/snapshot.js';
import type { Environment, Task } from '../ports/cluster-backend.js';
import { parseTask } from '../store/read-project.js';
import { runScript, setupScript } from './job-script.js';
import type { Lab } from './lab.js';

/** The task as it stands in a snapshot. */
export async function readTask(lab: Lab, base: Snapshot): Promise<TaskFile> {
  const path = lab.project.settings.task;
  const file = base.files.find((candidate) => candidate.path === path);
  if (file) return parseTask((await lab.snapshots.content(file)).toString(), path);
  throw new AutoresearchError(
    'invalid_project',
    `${lab.project.directory} has no ${path} that git tracks or would track.`,
    'Write a SkyPilot task with "run" (and "setup") there, or name another in autoresearch.yaml: task. examples/quickstart has one.',
  );
}

export const isEditable = (lab: Lab, path: string): boolean =>
  ignore.isPathValid(path) && ignore({ ignorecase: false }).add(lab.project.settings.editable).ignores(path);

/**
 * The environment that a base needs. Its key leaves out the editable files, so that a kept change of train.py does not
 * run setup again, while a change of prepare.py or of the dependencies does.
 */
export async function environmentOf(lab: Lab, base: Snapshot, task: TaskFile): Promise<Environment> {
  const { mark } = lab;
  const setup = task.setup?.trim() ? task.setup : null;
  const files = base.files.filter(({ path }) => !isEditable(lab, path));
  const content = JSON.stringify([setup, task.envs ?? {}, manifestText(files)]);
  return {
    key: createHash('sha256').update(content).digest('hex').slice(0, 12),
    workdir: await lab.snapshots.materialise(base),
    setup: setup && setupScript({ mark, base, setup }),
    envs: envsOf(task),
    resources: task.resources ?? {},
  };
}

/** A shell's variables are text, whatever YAML made of them. */
const envsOf = ({ envs }: TaskFile): Record<string, string> =>
  Object.fromEntries(Object.entries(envs ?? {}).map(([name, value]) => [name, String(value)]));

/** @param base the snapshot that lies on the cluster for this environment */
export async function taskOf(lab: Lab, experiment: Experiment, base: Snapshot, environmentKey: string): Promise<Task> {
  const name = jobName(experiment);
  const task = await readTask(lab, await lab.snapshots.load(experiment.base));
  const snapshot = await lab.snapshots.load(experiment.snapshot);
  return {
    name,
    environmentKey,
    run: await runScript(
      { mark: lab.mark, base, snapshot, name, nonce: experiment.nonce, run: task.run },
      lab.snapshots,
    ),
    envs: {
      ...envsOf(task),
      EXPERIMENT_ID: experiment.id,
      EXPERIMENT_DESC: experiment.description,
    },
    timeoutSeconds: lab.project.settings.limits.job_timeout_minutes * 60,
  };
}
