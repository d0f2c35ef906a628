import type { ClusterFile, EnvironmentFile } from './cluster-files.js';
import { environmentFolder } from './cluster-folder.js';
import { withPrivatePython } from './private-python.js';
import { MARKER_VARIABLE } from './process-group.js';

/** What a setup or a job finds in its environment. The process's own variables stay in memory: they may hold secrets. */
export function taskVariables({
  folder,
  cluster,
  environment,
  taskEnvs,
  taskId,
  marker,
}: {
  folder: string;
  cluster: ClusterFile;
  environment: EnvironmentFile;
  taskEnvs: Readonly<Record<string, string>>;
  taskId: string;
  marker: string;
}): Record<string, string | undefined> {
  const place = environmentFolder(folder, environment.key);
  const wanted = { ...process.env, ...environment.envs, ...taskEnvs };
  return {
    ...withPrivatePython(wanted, place),
    ...cluster.slot.envs,
    // In the environment's folder, where a `uv pip install` of a job finds the private Python above it and no other.
    AUTORESEARCH_ROOT: place,
    SKYPILOT_TASK_ID: taskId,
    SKYPILOT_NODE_RANK: '0',
    SKYPILOT_NUM_NODES: '1',
    SKYPILOT_NODE_IPS: '127.0.0.1',
    SKYPILOT_NUM_GPUS_PER_NODE: String(cluster.slot.gpus),
    [MARKER_VARIABLE]: marker,
  };
}
