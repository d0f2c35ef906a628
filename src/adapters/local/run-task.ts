import type { ClusterFile, EnvironmentFile, JobStatusFile } from './cluster-files.js';
import { environmentFolder, jobLog, jobMarker, jobScript, workdirOf } from './cluster-folder.js';
import { type Ending, type ProcessRun, startProcess } from './process-run.js';
import type { Waiting } from './queue.js';
import { taskVariables } from './task-variables.js';

export function startTask(
  folder: string,
  cluster: ClusterFile,
  environment: EnvironmentFile,
  { number, task }: Waiting,
): ProcessRun {
  const marker = jobMarker(cluster.incarnation, number);
  const taskId = `${cluster.name}-${number}`;
  return startProcess({
    argv: ['bash', jobScript(folder, number)],
    cwd: workdirOf(environmentFolder(folder, environment.key)),
    envs: taskVariables({ folder, cluster, environment, taskEnvs: task.envs, taskId, marker }),
    logPath: jobLog(folder, number),
    marker,
    timeoutMs: task.timeoutSeconds * 1000,
  });
}

export function statusAfter({ reason, exitCode, endedAt }: Ending, startedAt: number): JobStatusFile {
  const ended = { startedAt, endedAt, exitCode, timedOut: reason === 'timed_out' };
  switch (reason) {
    case 'exited':
      return { ...ended, status: exitCode === 0 ? 'SUCCEEDED' : 'FAILED' };
    case 'timed_out':
      return { ...ended, status: 'FAILED' };
    case 'stopped':
      return { ...ended, status: 'CANCELLED' };
  }
}
