import { type Experiment, Experiment as Schema } from '../../src/domain/experiment.js';
import { experimentId, waveId } from '../../src/domain/ids.js';

/** A planned experiment, valid for the store, with what a test is about. */
export const makeExperiment = (n: number, about: Partial<Experiment> = {}): Experiment =>
  Schema.parse({
    id: experimentId(n),
    waveId: waveId(1),
    campaign: 'night',
    description: `run ${n}`,
    overrides: {},
    edits: [],
    workdir: null,
    levels: {},
    replicateOf: null,
    isBaseline: false,
    snapshot: 'a'.repeat(64),
    base: 'b'.repeat(64),
    state: 'planned',
    note: null,
    cluster: null,
    jobId: null,
    attempt: 1,
    nonce: 'n0',
    plannedAt: 1_000,
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
    ...about,
  });

export const done = (n: number, value: number, about: Partial<Experiment> = {}): Experiment =>
  makeExperiment(n, { state: 'done', metrics: { val_bpb: value, peak_vram_mb: 2048 }, ...about });
