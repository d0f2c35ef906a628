import { isSettled } from '../domain/experiment.js';
import { markCancelled } from './cancel-experiments.js';
import { beginClusterWork } from './cluster-work.js';
import { type Lab, nameOf, readCampaign, readExperiments, updateCampaign } from './lab.js';

/** Brings down the clusters that are to end, after what had ended there was written down; what still runs is cancelled. */
export async function endMarked(lab: Lab): Promise<void> {
  for (const cluster of (await readCampaign(lab)).fleet.filter(({ state }) => state === 'ending')) {
    beginClusterWork(lab, `end ${cluster.name}`, async () => {
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
