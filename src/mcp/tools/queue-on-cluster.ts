import { z } from 'zod';
import { ClusterId } from '../../domain/ids.js';
import { submitRuns } from '../../lab/submit-runs.js';
import { defineTool } from '../define-tool.js';
import { Launched, launchedAnswer } from '../launched.js';
import { ExperimentInput, requestOf } from '../words.js';

export const queueOnClusterTool = defineTool({
  name: 'queue_on_cluster',
  title: 'Queue on a cluster',
  description:
    'Queues experiments behind what runs on a cluster that exists, so that it goes from one to the next by itself. launch_wave chooses the clusters for you; see list_clusters_by_gpu for theirs.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    cluster: ClusterId,
    experiments: z.array(ExperimentInput).min(1).max(64),
  }),
  output: Launched,
  async run(lab, { cluster, experiments }) {
    const plan = await submitRuns(lab, {
      description: experiments[0]?.description ?? '',
      kind: 'list',
      factors: {},
      requests: experiments.map(requestOf),
      replicates: 1,
      accelerators: [],
      cluster,
      withBaseline: false,
    });
    return launchedAnswer(plan, lab.project.settings.metric.name);
  },
});
