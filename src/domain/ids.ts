import { z } from 'zod';

export const ExperimentId = z
  .string()
  .regex(/^exp-\d{4,}$/, 'Expected an experiment id such as exp-0003')
  .brand<'ExperimentId'>();
export type ExperimentId = z.infer<typeof ExperimentId>;

export const WaveId = z
  .string()
  .regex(/^wave-\d{3,}$/, 'Expected a wave id such as wave-003')
  .brand<'WaveId'>();
export type WaveId = z.infer<typeof WaveId>;

/** A cluster as agents and people call it. The backend knows it by a name that carries the campaign's mark. */
export const ClusterId = z
  .string()
  .regex(/^gpu-\d{2,}$/, 'Expected a cluster such as gpu-01')
  .brand<'ClusterId'>();
export type ClusterId = z.infer<typeof ClusterId>;

/** sha256 over a snapshot's files, in order; 64 hexadecimal digits. */
export const SnapshotHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'Expected a sha256 in hexadecimal')
  .brand<'SnapshotHash'>();
export type SnapshotHash = z.infer<typeof SnapshotHash>;

export const FindingId = z
  .string()
  .regex(/^finding-\d{3,}$/, 'Expected a finding such as finding-003')
  .brand<'FindingId'>();
export type FindingId = z.infer<typeof FindingId>;

export const experimentId = (n: number): ExperimentId => ExperimentId.parse(`exp-${String(n).padStart(4, '0')}`);
export const waveId = (n: number): WaveId => WaveId.parse(`wave-${String(n).padStart(3, '0')}`);
export const clusterId = (n: number): ClusterId => ClusterId.parse(`gpu-${String(n).padStart(2, '0')}`);
export const findingId = (n: number): FindingId => FindingId.parse(`finding-${String(n).padStart(3, '0')}`);

/** The number in an id: 3 for exp-0003. */
export const ordinal = (id: ExperimentId | WaveId | ClusterId | FindingId): number =>
  Number(id.slice(id.indexOf('-') + 1));
