import type { FleetCluster } from '../domain/campaign.js';
import { aliveClusters, type Lab, readCampaign, readExperiments, updateCampaign } from './lab.js';
import { patchExperiments } from './patch-experiments.js';

/**
 * Ends launches that have waited for a machine longer than limits.capacity_wait_minutes, and those that wait for one while
 * nothing is left that would run on it. What was to run there is placed anew.
 */
export async function giveUpLaunches(lab: Lab): Promise<void> {
  if ((await hopeless(lab)).length === 0) return;
  await lab.store.whilePlanning(async () => {
    const given = await hopeless(lab);
    const ids = new Set(given.map(({ cluster }) => cluster.id));
    const homeless = (await readExperiments(lab)).filter(
      ({ state, cluster }) => state === 'planned' && cluster !== null && ids.has(cluster),
    );
    await patchExperiments(lab, new Map(homeless.map((run) => [run, { cluster: null }])));
    await updateCampaign(lab, ({ fleet }) => {
      for (const { cluster, reason, gotNoMachine } of given) {
        const record = fleet.find(({ name, state }) => name === cluster.name && state === 'launching');
        if (record) Object.assign(record, { state: 'ending', reason, gotNoMachine });
      }
    });
  });
}

async function hopeless(lab: Lab) {
  const experiments = await readExperiments(lab);
  const minutes = lab.project.settings.limits.capacity_wait_minutes;
  const isOverdue = ({ launchedAt }: FleetCluster) => lab.now() - launchedAt > minutes * 60_000;
  return aliveClusters(await readCampaign(lab)).flatMap((cluster) => {
    if (cluster.state !== 'launching') return [];
    const said = cluster.reason === null ? '' : ` ${cluster.reason}`;
    if (isOverdue(cluster)) {
      return [{ cluster, reason: `Given up after ${minutes} minutes without a machine.${said}`, gotNoMachine: true }];
    }
    const isWanted = experiments.some((run) => run.cluster === cluster.id && run.state === 'planned');
    return isWanted ? [] : [{ cluster, reason: 'Given up: nothing was left to run on it.', gotNoMachine: false }];
  });
}
