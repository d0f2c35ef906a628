import { z } from 'zod';
import { ExperimentId } from './ids.js';

export const DECISIONS = ['keep', 'discard'] as const;

/** What the researcher made of an experiment, and on what evidence. */
export const Decision = z.strictObject({
  kind: z.enum(DECISIONS),
  reason: z.string(),
  at: z.number().int().nonnegative(),
  /** The verdict when it was taken; null: there was none. A keep whose verdict is not `win` is one without evidence. */
  verdict: z.string().nullable(),
  /** The incumbent that it was compared with; null: there was none, or none other. */
  against: ExperimentId.nullable(),
  /** The commit that holds the kept change; null: none was asked for. */
  commit: z.string().nullable(),
});
export type Decision = z.infer<typeof Decision>;

export const isBacked = ({ kind, verdict }: Pick<Decision, 'kind' | 'verdict'>): boolean =>
  kind === 'discard' || verdict === 'win';

/** `keep`, or `keep without evidence`. */
export const kindOf = (decision: Pick<Decision, 'kind' | 'verdict'>): string =>
  isBacked(decision) ? decision.kind : `${decision.kind} without evidence`;

/** `keep: it is better`. */
export const decisionWords = (decision: Pick<Decision, 'kind' | 'verdict' | 'reason'>): string =>
  `${kindOf(decision)}: ${decision.reason}`;
