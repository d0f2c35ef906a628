import type { CampaignFile, FleetCluster } from '../domain/campaign.js';
import { AutoresearchError } from '../domain/errors.js';
import type { Experiment } from '../domain/experiment.js';
import type { ClusterId } from '../domain/ids.js';
import type { Project } from '../domain/project.js';
import type { Secret } from '../domain/redact.js';
import { experimentsOf, type WaveFile } from '../domain/wave.js';
import { type ClusterBackend, ClusterName } from '../ports/cluster-backend.js';
import type { CodeChecker } from '../ports/code-checker.js';
import type { SnapshotStore } from '../store/snapshots.js';
import type { Store } from '../store/store.js';

/** What a use case works with. Made in compose.ts, with a virtual clock in tests. */
export interface Lab {
  readonly project: Project;
  readonly backend: ClusterBackend;
  readonly checker: CodeChecker;
  readonly store: Store;
  readonly snapshots: SnapshotStore;
  /** Six hexadecimal digits, the same for this machine, folder and campaign. */
  readonly mark: string;
  /** What no log that is kept may show. */
  readonly secrets: readonly Secret[];
  /** Milliseconds since 1970. */
  now(): number;
  /** Ends early, without an error, when `signal` aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Waits for `work` no longer than that; it goes on either way, and its failure after that is nobody's. */
  within(milliseconds: number, work: Promise<void>): Promise<void>;
  /** Nobody can guess it. */
  randomId(): string;
}

export const newCampaign = (lab: Lab): CampaignFile => ({
  name: lab.project.campaign,
  mark: lab.mark,
  metric: lab.project.settings.metric,
  createdAt: lab.now(),
  incumbent: null,
  fleet: [],
});

export const readCampaign = async (lab: Lab): Promise<CampaignFile> =>
  (await lab.store.campaign(lab.project.campaign)) ?? newCampaign(lab);

export const updateCampaign = (lab: Lab, change: (campaign: CampaignFile) => void): Promise<CampaignFile> =>
  lab.store.updateCampaign(lab.project.campaign, () => newCampaign(lab), change);

/** The waves of this campaign, the oldest first. */
export const readWaves = async (lab: Lab): Promise<WaveFile[]> =>
  (await lab.store.waves()).filter(({ wave }) => wave.campaign === lab.project.campaign);

export const readExperiments = async (lab: Lab): Promise<Experiment[]> => (await readWaves(lab)).flatMap(experimentsOf);

export const clusterName = (id: ClusterId, mark: string): ClusterName => ClusterName.parse(`${id}-${mark}`);

export const nameOf = (cluster: FleetCluster): ClusterName => ClusterName.parse(cluster.name);

/** Those that may take work, now or once they are up. */
export const servingClusters = (campaign: CampaignFile): FleetCluster[] =>
  campaign.fleet.filter(({ state }) => state !== 'ending' && state !== 'ended');

/** Those that may cost something. */
export const aliveClusters = (campaign: CampaignFile): FleetCluster[] =>
  campaign.fleet.filter(({ state }) => state !== 'ended');

/** @throws not_ours for a cluster that this campaign did not launch, or that has ended */
export function findCluster(campaign: CampaignFile, id: ClusterId): FleetCluster {
  const alive = aliveClusters(campaign);
  const found = alive.find((cluster) => cluster.id === id);
  if (found) return found;
  const names = alive.map((cluster) => cluster.id).join(', ');
  throw new AutoresearchError(
    campaign.fleet.some((cluster) => cluster.id === id) ? 'not_found' : 'not_ours',
    campaign.fleet.some((cluster) => cluster.id === id)
      ? `${id} has ended.`
      : `${id} is no cluster of campaign ${campaign.name}.`,
    names === '' ? 'It has none now: launch_wave launches what it needs.' : `Its clusters: ${names}.`,
  );
}
