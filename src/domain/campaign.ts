import { z } from 'zod';
import { ClusterId, ExperimentId, SnapshotHash } from './ids.js';

export const GOALS = ['minimize', 'maximize'] as const;
export type Goal = (typeof GOALS)[number];

export const Metric = z.strictObject({ name: z.string().min(1), goal: z.enum(GOALS) });
export type Metric = z.infer<typeof Metric>;

/** Negative when `value` is better than `other`, for sorting. */
export const compareMetric = (goal: Goal, value: number, other: number): number =>
  goal === 'minimize' ? value - other : other - value;

/**
 * planned: not asked for yet. launching: asked for. up: takes jobs. ending: on its way down. ended: down, idle end or lost;
 * `reason` says which.
 */
export const FLEET_STATES = ['planned', 'launching', 'up', 'ending', 'ended'] as const;

const Milliseconds = z.number().int().nonnegative();

/** A cluster that this campaign launched; ended ones stay as the record of what was paid for. */
export const FleetCluster = z.strictObject({
  id: ClusterId,
  /** The backend's name, with the campaign's mark. */
  name: z.string(),
  state: z.enum(FLEET_STATES),
  requested: z.array(z.string()),
  infra: z.string().nullable(),
  /** Base snapshot that lies on the cluster for each environment whose setup was asked for. */
  environments: z.record(z.string(), SnapshotHash),
  accelerators: z.string().nullable(),
  hardware: z.string().nullable(),
  /** Until it is up, what it was expected to be when it was planned. */
  pricePerHourUsd: z.number().nullable(),
  reason: z.string().nullable(),
  /** It was asked for and none could be had. */
  gotNoMachine: z.boolean().default(false),
  launchedAt: Milliseconds,
  upAt: Milliseconds.nullable(),
  endedAt: Milliseconds.nullable(),
});
export type FleetCluster = z.infer<typeof FleetCluster>;

/** One file of the store. */
export const CampaignFile = z.strictObject({
  name: z.string(),
  /** Six hexadecimal digits that tell this campaign's clusters from everybody else's. */
  mark: z.string().regex(/^[0-9a-f]{6}$/),
  metric: Metric,
  createdAt: Milliseconds,
  incumbent: ExperimentId.nullable(),
  /** Every life of every cluster, in order of launch: a name comes again after its cluster has ended. */
  fleet: z.array(FleetCluster),
});
export type CampaignFile = z.infer<typeof CampaignFile>;
