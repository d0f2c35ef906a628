import type { AnyTool } from '../define-tool.js';
import { campaignStatusTool } from './campaign-status.js';
import { cancelExperimentsTool } from './cancel-experiments.js';
import { fetchResultTool } from './fetch-result.js';
import { launchExperimentTool } from './launch-experiment.js';
import { launchWaveTool } from './launch-wave.js';
import { listClustersByGpuTool } from './list-clusters-by-gpu.js';
import { queueOnClusterTool } from './queue-on-cluster.js';
import { teardownTool } from './teardown.js';

/** What `tools/list` shows, in this order. */
export const TOOLS: readonly AnyTool[] = [
  launchWaveTool,
  launchExperimentTool,
  queueOnClusterTool,
  fetchResultTool,
  campaignStatusTool,
  listClustersByGpuTool,
  cancelExperimentsTool,
  teardownTool,
];
