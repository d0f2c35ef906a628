import type { FleetCluster } from '../domain/campaign.js';
import { isSettled } from '../domain/experiment.js';
import { beginClusterWork, isUnderWay } from './cluster-work.js';
import { type Lab, nameOf, readCampaign, readExperiments, updateCampaign } from './lab.js';
import { markCancelled } from './patch-experiments.js';

/**
 * Brings down the clusters that are to end; what still runs there is cancelled.
 * @param collect called first with those clusters: writes down what has ended on them, however lately they were looked at
 */
export async function endMarked(lab: Lab, collect: (ending: readonly FleetCluster[]) => Promise<void>): Promise<void> {
  const ending = (await readCampaign(lab)).fleet.filter(
    ({ state, name }) => state === 'ending' && !isUnderWay(lab, endOf(name)),
  );
  if (ending.length === 0) return;
  await collect(ending);
  for (const cluster of ending) {
    beginClusterWork(lab, endOf(cluster.name), async () => {
      const there = (await readExperiments(lab)).filter((run) => run.cluster === cluster.id && !isSettled(run.state));
      await markCancelled(lab, there, 'Its cluster was torn down.');
      await lab.backend.down([nameOf(cluster)]);
      await updateCampaign(lab, ({ fleet }) => {
        const record = fleet.find(({ name, state }) => name === cluster.name && state === 'ending');
        if (record) Object.assign(record, { state: 'ended', endedAt: lab.now() });
      });
    });
  }
}

const endOf = (cluster: string): string => `end ${cluster}`;
