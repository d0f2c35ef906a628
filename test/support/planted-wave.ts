import { analyseCampaign } from '../../src/domain/analysis/campaign-analysis.js';
import type { Experiment, Literal } from '../../src/domain/experiment.js';
import { ClusterId, experimentId, SnapshotHash, waveId } from '../../src/domain/ids.js';
import { WaveFile } from '../../src/domain/wave.js';
import { done, makeExperiment } from '../domain/make-experiment.js';

/** One run that has ended: which configuration, where, and what it printed; null: it crashed. */
export interface PlantedRun {
  readonly config: number;
  readonly host: number;
  readonly value: number | null;
  readonly levels?: Readonly<Record<string, Literal>>;
  readonly about?: Partial<Experiment>;
}

/** A wave with these runs; ids go on from `first`. Configuration 0 is the unchanged base. */
export function plantedWave(
  n: number,
  first: number,
  runs: readonly PlantedRun[],
  about: Partial<WaveFile['wave']> = {},
): WaveFile {
  const factors: Record<string, Literal[]> = {};
  const experiments = runs.map(({ config, host, value, levels = {}, about: more }, at) => {
    for (const [name, level] of Object.entries(levels)) {
      const known = factors[name] ?? [];
      if (!known.includes(level)) factors[name] = [...known, level];
    }
    const common: Partial<Experiment> = {
      waveId: waveId(n),
      snapshot: SnapshotHash.parse(String(config).padStart(64, '0')),
      isBaseline: config === 0,
      levels: { ...levels },
      overrides: { ...levels },
      cluster: ClusterId.parse(`gpu-${String(host + 1).padStart(2, '0')}`),
      accelerators: 'H100:1',
      startedAt: 2_000,
      endedAt: 302_000,
      settledAt: 302_000,
      ...more,
    };
    return value === null
      ? makeExperiment(first + at, { ...common, state: 'crashed' })
      : done(first + at, value, common);
  });
  return WaveFile.parse({
    wave: {
      id: waveId(n),
      campaign: 'night',
      description: '',
      kind: Object.keys(factors).length > 0 ? 'full_factorial' : 'list',
      factors,
      base: 'b'.repeat(64),
      accelerators: [],
      createdAt: 1_000,
      ...about,
    },
    experiments: Object.fromEntries(experiments.map((run) => [run.id, run])),
  });
}

/** Judged against exp-0001, the lower the better; all hosts live through it all. */
export const analysisOf = (waves: readonly WaveFile[], priorSd: number | null = null) =>
  analyseCampaign(
    {
      experiments: waves.flatMap(({ experiments }) => Object.values(experiments)),
      fleet: [],
      metric: { name: 'val_bpb', goal: 'minimize' },
      incumbent: experimentId(1),
    },
    priorSd,
  );
