import type { Bill } from '../domain/budget.js';
import { enoughSentinels, type Seating, seatRuns } from '../domain/design/seating.js';
import { seedOf } from '../domain/design/seeded.js';
import { ClusterId } from '../domain/ids.js';
import { BASELINE } from './baseline.js';
import { billFor } from './budget.js';
import type { Draft } from './draft-plan.js';
import type { FreshRun } from './duplicates.js';
import { type Placement, placeOnFleet } from './fleet.js';
import { aliveClusters, type Lab } from './lab.js';
import type { PlanRequest } from './plan-request.js';

export interface SeatedRun {
  readonly fresh: FreshRun;
  readonly cluster: ClusterId;
}

export interface SeatedPlan {
  /** In the order in which they run: the base first, a design's points shuffled, sentinels between them. */
  readonly runs: readonly SeatedRun[];
  readonly seating: Seating;
  readonly placement: Placement;
  readonly bill: Bill;
}

/** Where each run of a draft would run, and what that comes to. @throws no_capacity, over_budget as placeOnFleet */
export async function seatPlan(lab: Lab, ask: PlanRequest, draft: Draft): Promise<SeatedPlan> {
  const { fresh, campaign, experiments } = draft;
  const bases = fresh.filter(({ run }) => run.request === BASELINE);
  const points = inRunOrder(fresh, ask).filter(({ run }) => run.request !== BASELINE);
  const { placement, clusters, sentinels } = await withSentinels(lab, ask, draft);
  const seating = seatRuns({
    placed: placement.placed,
    clusters,
    points: repeated(points, ask.replicates).map(({ run }) => (ask.kind === 'list' ? {} : run.request.levels)),
    sentinels,
    others: bases.length * ask.replicates,
    rotation: experiments.filter(({ isSentinel }) => isSentinel).length,
    seed: seedOf(JSON.stringify(ask.requests)),
  });
  const seated = (runs: readonly FreshRun[], on: readonly string[]): SeatedRun[] =>
    runs.flatMap((run, index) => {
      const cluster = on[index];
      return cluster === undefined ? [] : [{ fresh: run, cluster: ClusterId.parse(cluster) }];
    });
  const { sentinel } = draft;
  const runs = [
    ...seated(repeated(bases, ask.replicates), seating.others),
    ...evenlyAmong(
      seated(repeated(points, ask.replicates), seating.points),
      sentinel === null
        ? []
        : seated(
            seating.sentinels.map(() => sentinel),
            seating.sentinels,
          ),
    ),
  ];
  const placed = { ...placement, placed: runs.map(({ cluster }) => cluster) };
  return { runs, seating, placement: placed, bill: billFor(lab, campaign, experiments, placed) };
}

/** One on each accelerator at least: which those are is known only once the runs are placed, and sentinels are runs. */
async function withSentinels(lab: Lab, ask: PlanRequest, draft: Draft) {
  const { campaign, experiments, fresh, moreSentinels, wantsSentinels } = draft;
  const count = fresh.length * ask.replicates;
  for (let sentinels = moreSentinels; ; ) {
    const placement = await place(lab, ask, campaign, experiments, count + sentinels);
    const clusters = [...aliveClusters(campaign), ...placement.launched]
      .filter(({ id }) => placement.placed.includes(id))
      .map(({ id, accelerators, requested }) => ({ cluster: id, accelerator: accelerators ?? requested[0] ?? null }));
    const isOneKind = new Set(clusters.map(({ accelerator }) => accelerator)).size < 2;
    const enough = wantsSentinels && !isOneKind ? enoughSentinels(clusters, Math.max(1, sentinels)) : sentinels;
    if (enough <= sentinels) return { placement, clusters, sentinels };
    sentinels = enough;
  }
}

async function place(
  lab: Lab,
  { cluster, accelerators }: PlanRequest,
  campaign: Draft['campaign'],
  experiments: Draft['experiments'],
  count: number,
): Promise<Placement> {
  if (cluster === null) return placeOnFleet(lab, accelerators, campaign, experiments, count);
  return { placed: Array.from({ length: count }, () => cluster), launched: [], bound: null };
}

/** Replicates come round by round, so that those of one point lie apart in time. */
const repeated = <Item>(items: readonly Item[], times: number): Item[] =>
  Array.from({ length: times }).flatMap(() => items);

function inRunOrder(fresh: readonly FreshRun[], { requests, runOrder }: PlanRequest): FreshRun[] {
  if (!runOrder) return [...fresh];
  const rank = new Map(runOrder.map((request, place) => [requests[request], place]));
  return fresh.toSorted((a, b) => (rank.get(a.run.request) ?? 0) - (rank.get(b.run.request) ?? 0));
}

/** The second list's items at equal distances in the first: sentinels see the whole time of their wave. */
function evenlyAmong<Item>(items: readonly Item[], between: readonly Item[]): Item[] {
  const step = items.length / between.length;
  return [
    ...items.map((item, index) => ({ item, at: index + 0.5 })),
    ...between.map((item, index) => ({ item, at: (index + 0.5) * step })),
  ]
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
