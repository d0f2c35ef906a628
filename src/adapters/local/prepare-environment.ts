import { rmSync } from 'node:fs';
import type { ClusterFile, EnvironmentFile } from './cluster-files.js';
import { environmentFolder, setupLog, setupMarker, setupScript, workdirOf } from './cluster-folder.js';
import { makePrivatePython } from './private-python.js';
import { MARKER_VARIABLE } from './process-group.js';
import { type Ending, type ProcessRun, startProcess } from './process-run.js';
import { taskVariables } from './task-variables.js';

/** A bound for what the caller gave none: a setup that hangs must not hold a machine for a night. */
const SETUP_TIMEOUT_MS = 60 * 60 * 1000;

/** The environment's own Python first, then its setup; the second only where the first went well. */
export async function prepareEnvironment(
  { folder, cluster, environment }: { folder: string; cluster: ClusterFile; environment: EnvironmentFile },
  onStart: (run: ProcessRun) => void,
): Promise<Ending> {
  const place = environmentFolder(folder, environment.key);
  const logPath = setupLog(place);
  rmSync(logPath, { force: true });
  const marker = setupMarker(cluster.incarnation);
  const run = async (argv: [string, ...string[]], envs: Record<string, string | undefined>): Promise<Ending> => {
    const started = startProcess({ argv, cwd: workdirOf(place), envs, logPath, marker, timeoutMs: SETUP_TIMEOUT_MS });
    onStart(started);
    return await started.ended;
  };
  // In the user's variables: it is the user's Python that the private one is made from, at a second try too.
  const python = await run(makePrivatePython(place), { ...process.env, [MARKER_VARIABLE]: marker });
  if (!isSuccess(python)) return python;
  const taskId = `${cluster.name}-setup`;
  return await run(
    ['bash', setupScript(place)],
    taskVariables({ folder, cluster, environment, taskEnvs: {}, taskId, marker }),
  );
}

export const isSuccess = ({ reason, exitCode }: Ending): boolean => reason === 'exited' && exitCode === 0;
