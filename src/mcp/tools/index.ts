import type { AnyTool } from '../define-tool.js';
import { analyzeResultsTool } from './analyze-results.js';
import { campaignStatusTool } from './campaign-status.js';
import { cancelExperimentsTool } from './cancel-experiments.js';
import { designWaveTool } from './design-wave.js';
import { fetchResultTool } from './fetch-result.js';
import { launchExperimentTool } from './launch-experiment.js';
import { launchWaveTool } from './launch-wave.js';
import { listClustersByGpuTool } from './list-clusters-by-gpu.js';
import { promoteTool } from './promote.js';
import { queryExperimentsTool } from './query-experiments.js';
import { queueOnClusterTool } from './queue-on-cluster.js';
import { recordDecisionTool } from './record-decision.js';
import { recordFindingTool } from './record-finding.js';
import { teardownTool } from './teardown.js';

/** What `tools/list` shows, in this order. */
export const TOOLS: readonly AnyTool[] = [
  designWaveTool,
  launchWaveTool,
  launchExperimentTool,
  queueOnClusterTool,
  fetchResultTool,
  analyzeResultsTool,
  campaignStatusTool,
  listClustersByGpuTool,
  promoteTool,
  cancelExperimentsTool,
  queryExperimentsTool,
  recordDecisionTool,
  recordFindingTool,
  teardownTool,
];
