import { z } from 'zod';
import { DESIGN_NAMES } from './design/index.js';
import { Experiment, Literal } from './experiment.js';
import { ExperimentId, SnapshotHash, WaveId } from './ids.js';

/** A list, or what a design made. */
export const WAVE_KINDS = ['list', ...DESIGN_NAMES] as const;

export const Wave = z.strictObject({
  id: WaveId,
  campaign: z.string(),
  description: z.string(),
  kind: z.enum(WAVE_KINDS),
  /** Levels of each factor by label, in order; empty for a list. */
  factors: z.record(z.string(), z.array(Literal)),
  base: SnapshotHash,
  /** What its runs may be placed on, in order of preference; empty: whatever the machine has. */
  accelerators: z.array(z.string()),
  createdAt: z.number().int().nonnegative(),
});
export type Wave = z.infer<typeof Wave>;

/** One file of the store. */
export const WaveFile = z.strictObject({
  wave: Wave,
  experiments: z.record(ExperimentId, Experiment),
});
export type WaveFile = z.infer<typeof WaveFile>;

export const experimentsOf = (file: WaveFile): Experiment[] => Object.values(file.experiments);
