import type { ExperimentRequest } from '../../src/domain/experiment.js';
import { advance } from '../../src/lab/advance.js';
import { type Lab, nameOf, readCampaign, readExperiments } from '../../src/lab/lab.js';
import type { PlanRequest } from '../../src/lab/plan-request.js';
import type { ClusterBackend } from '../../src/ports/cluster-backend.js';

/** A run of the base with these values, which are its description too. */
export const requestOf = (
  overrides: ExperimentRequest['overrides'],
  more: Partial<ExperimentRequest> = {},
): ExperimentRequest => ({
  description: JSON.stringify(overrides),
  overrides,
  edits: [],
  workdir: null,
  replicateOf: null,
  levels: {},
  ...more,
});

/** One run of each learning rate, without a baseline. */
export const waveOf = (rates: readonly number[], more: Partial<PlanRequest> = {}): PlanRequest => ({
  description: '',
  kind: 'list',
  factors: {},
  requests: rates.map((rate) => requestOf({ LEARNING_RATE: rate }, { description: String(rate) })),
  replicates: 1,
  accelerators: [],
  cluster: null,
  withBaseline: false,
  ...more,
});

/** One round, so many seconds later. */
export async function after(lab: Lab, seconds: number): Promise<void> {
  await lab.sleep(seconds * 1000);
  await advance(lab);
}

/** So many seconds, with a round each. */
export async function eachSecond(lab: Lab, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) await after(lab, 1);
}

/** Where each run is, `exp-0001 running gpu-01`. */
export const placesOf = async (lab: Lab): Promise<string[]> =>
  (await readExperiments(lab)).map(({ id, state, cluster }) => `${id} ${state} ${cluster ?? 'nowhere'}`);

/** The clusters' lives, `gpu-01 up`. */
export const fleetOf = async (lab: Lab): Promise<string[]> =>
  (await readCampaign(lab)).fleet.map(({ id, state }) => `${id} ${state}`);

/** What every queue holds of the jobs whose name begins so, `gpu-01 SUCCEEDED`. */
export async function jobsOf(lab: Lab, backend: ClusterBackend, name: string): Promise<string[]> {
  const { fleet } = await readCampaign(lab);
  const jobs = await backend.jobs([...new Set(fleet.map(nameOf))]);
  const ofName = jobs.filter((job) => job.name.startsWith(name));
  return ofName.map((job) => `${fleet.find((cluster) => cluster.name === job.cluster)?.id} ${job.status}`);
}
