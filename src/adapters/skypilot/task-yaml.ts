import { stringify } from 'yaml';
import type { LaunchRequest, Task } from '../../ports/cluster-backend.js';
import { jobScript, setupScript } from './job-wrapper.js';
import type { WorkdirZip } from './workdir-zip.js';

/** Jobs in which setup runs; they are none of ours. */
export const SETUP_JOB = 'autoresearch-setup';

/**
 * What a launch sends: machines, the base as workdir, and setup as the first job. Not as SkyPilot's `setup`: that takes no
 * GPU, so a job that does would not wait for it.
 * @param zip the base as it was sent to a server elsewhere; null: the server reads it from our disk
 */
export function launchYaml({ accelerators, infra, environment }: LaunchRequest, zip: WorkdirZip | null): string {
  const { accelerators: _, infra: taskInfra, ...resources } = environment.resources;
  const chosenInfra = infra ?? taskInfra;
  return stringify({
    name: SETUP_JOB,
    resources: {
      ...resources,
      ...(accelerators.length > 0 ? { accelerators: [...accelerators] } : {}),
      ...(chosenInfra === undefined || chosenInfra === null ? {} : { infra: chosenInfra }),
    },
    workdir: zip?.workdir ?? environment.workdir,
    ...(zip === null ? {} : { file_mounts_mapping: { [zip.workdir]: zip.workdir } }),
    envs: environment.envs,
    run: setupScript(environment, zip?.executables ?? []),
  });
}

/** What exec sends. It asks for the cluster's accelerators, for without them SkyPilot runs jobs side by side and without a GPU. */
export function taskYaml(task: Task, accelerators: string | null): string {
  return stringify({
    name: task.name,
    ...(accelerators === null ? {} : { resources: { accelerators } }),
    envs: task.envs,
    run: jobScript(task),
  });
}
