import type { Experiment } from '../domain/experiment.js';
import type { ExperimentId, SnapshotHash } from '../domain/ids.js';
import type { Snapshot } from '../domain/snapshot.js';
import type { WaveFile } from '../domain/wave.js';
import type { Lab } from './lab.js';
import type { PlanRequest } from './plan-request.js';
import type { SeatedRun } from './seat-plan.js';

/** The plan on record, under ids in the order in which its experiments run: each cluster's queue is that order. */
export function storeWave(
  lab: Lab,
  ask: PlanRequest,
  base: Snapshot,
  runs: readonly SeatedRun[],
): Promise<WaveFile | null> {
  const now = lab.now();
  return lab.store.createWave((ids) => {
    const first = new Map<SnapshotHash, ExperimentId>();
    const planned = runs.map(({ fresh, cluster }): Experiment => {
      const { request, snapshot, base: from, identity, isBaseline } = fresh.run;
      const id = ids.experiment();
      const replicateOf = fresh.replicateOf ?? first.get(snapshot.hash) ?? null;
      if (replicateOf === null) first.set(snapshot.hash, id);
      return {
        id,
        waveId: ids.wave,
        campaign: lab.project.campaign,
        description: request.description,
        overrides: { ...request.overrides },
        edits: [...request.edits],
        workdir: request.workdir,
        levels: { ...request.levels },
        replicateOf,
        isBaseline,
        isSentinel: fresh.isSentinel,
        snapshot: snapshot.hash,
        identity,
        base: from.hash,
        state: 'planned',
        note: null,
        cluster,
        jobId: null,
        move: null,
        attempt: 1,
        losses: 0,
        nonce: lab.randomId(),
        plannedAt: now,
        queuedAt: null,
        startedAt: null,
        endedAt: null,
        settledAt: null,
        accelerators: null,
        hardware: null,
        pricePerHourUsd: null,
        exitCode: null,
        metrics: null,
        facts: {},
        modelConfig: null,
        crash: null,
        decision: null,
        imported: false,
      };
    });
    return {
      wave: {
        id: ids.wave,
        campaign: lab.project.campaign,
        description: ask.description,
        kind: ask.kind,
        factors: ask.factors,
        base: base.hash,
        accelerators: [...ask.accelerators],
        createdAt: now,
      },
      experiments: Object.fromEntries(planned.map((experiment) => [experiment.id, experiment])),
    };
  });
}
