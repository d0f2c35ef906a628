import type { FleetCluster } from '../domain/campaign.js';
import type { Experiment } from '../domain/experiment.js';
import { environmentOf, readTask } from './environment.js';
import { type Lab, nameOf, readCampaign, readExperiments, updateCampaign } from './lab.js';

/** Asks for the clusters that the plan holds. One that is refused has ended, and its runs are placed anew. */
export async function launchPlanned(lab: Lab): Promise<void> {
  const waiting = (await readCampaign(lab)).fleet.filter(({ state }) => state === 'planned');
  if (waiting.length === 0) return;
  const experiments = (await readExperiments(lab)).filter(({ state }) => state === 'planned');
  const asked = waiting.flatMap((cluster) => {
    const first = experiments.find((experiment) => experiment.cluster === cluster.id);
    return first ? [{ cluster, base: first.base }] : [];
  });
  const launches = await Promise.all(
    asked.map(async ({ cluster, base }) => ({ cluster, ...(await launchRequest(lab, cluster, base)) })),
  );
  const answers = await lab.backend.launch(launches.map(({ request }) => request));
  await updateCampaign(lab, ({ fleet }) => {
    for (const cluster of fleet.filter(({ state }) => state === 'planned')) {
      const launch = launches.find(({ request }) => request.cluster === cluster.name);
      const answer = answers.find((candidate) => candidate.cluster === cluster.name);
      if (answer?.status === 'accepted' && launch) {
        Object.assign(cluster, { state: 'launching', environments: { [launch.key]: launch.base } });
      } else if (waiting.some(({ name }) => name === cluster.name)) {
        const reason = answer?.status === 'rejected' ? answer.reason : 'Nothing was left to run on it.';
        const gotNoMachine = answer?.status === 'rejected';
        Object.assign(cluster, { state: 'ended', endedAt: lab.now(), reason, gotNoMachine });
      }
    }
  });
}

export async function launchRequest(lab: Lab, cluster: FleetCluster, baseHash: Experiment['base']) {
  const base = await lab.snapshots.load(baseHash);
  const environment = await environmentOf(lab, base, await readTask(lab, base));
  const { idle_minutes: idleMinutes } = lab.project.settings;
  const { requested: accelerators, infra } = cluster;
  return {
    key: environment.key,
    base: baseHash,
    request: { cluster: nameOf(cluster), accelerators, infra, environment, idleMinutes },
  };
}
