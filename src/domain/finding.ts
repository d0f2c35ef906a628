import { z } from 'zod';
import { ExperimentId, FindingId, findingId, ordinal } from './ids.js';

export const FINDING_KINDS = [
  'wave',
  'result',
  'effect',
  'trend',
  'hardware',
  'noise',
  'crash',
  'decision',
  'note',
] as const;

/** Claim of a finding that says that nothing could be seen: it refutes nothing that was seen and may be true beside it. */
export const NOT_SHOWN = 'not shown';

/** One sentence that the runs of a campaign have shown, with what it rests on. */
export const Finding = z.strictObject({
  id: FindingId,
  /** What it is about, such as `effect:MATRIX_LR`: at most one finding of a campaign stands for each. null: about itself. */
  subject: z.string().nullable(),
  /** What it says of its subject in a word, such as `lower` or `none`; a finding that claims something else refutes it. */
  claim: z.string().nullable(),
  text: z.string(),
  /** Where it puts what it measures, in the metric's unit; null: it measures nothing. */
  interval: z.tuple([z.number(), z.number()]).readonly().nullable().default(null),
  campaign: z.string(),
  /** Runs that it rests on; null: it rests on none, or nobody counted. */
  n: z.number().int().positive().nullable(),
  experimentIds: z.array(ExperimentId),
  kind: z.enum(FINDING_KINDS),
  supersedes: FindingId.nullable(),
  supersededBy: FindingId.nullable(),
  at: z.number().int().nonnegative(),
  by: z.enum(['server', 'agent']),
});
export type Finding = z.infer<typeof Finding>;

/** The findings of a project, in one file of the store. */
export const FindingsFile = z.strictObject({ findings: z.record(FindingId, Finding) });
export type FindingsFile = z.infer<typeof FindingsFile>;

export type FindingDraft = Pick<
  Finding,
  'subject' | 'claim' | 'text' | 'interval' | 'n' | 'experimentIds' | 'kind' | 'by'
> & {
  /** A finding that it refutes although their subjects differ; null: none but that of its own subject. */
  readonly refutes: FindingId | null;
};

/** What the server's own findings have in common, unless they say otherwise. */
export const BY_SERVER = { by: 'server', refutes: null, interval: null } as const;

/**
 * Adds what is new. A draft whose claim is that of the finding that stands on its subject is the same finding with more evidence, and
 * renews it in place; one that claims something else supersedes it, and both stay; one of other runs that saw less leaves it as it is. Changes `file`.
 * @returns the findings that now stand for the drafts, in their order
 */
export function addFindings(
  file: FindingsFile,
  drafts: readonly FindingDraft[],
  { campaign, at }: Pick<Finding, 'campaign' | 'at'>,
): Finding[] {
  return drafts.map(({ refutes, ...draft }) => {
    const known = Object.values(file.findings);
    const standing = known.find(
      ({ id, subject, campaign: of, supersededBy }) =>
        supersededBy === null &&
        (refutes === null ? subject !== null && subject === draft.subject && of === campaign : id === refutes),
    );
    if (standing && refutes === null && saysTheSame(standing, draft)) {
      if (!isEqual(standing, draft)) Object.assign(standing, draft, { at });
      return standing;
    }
    if (standing && refutes === null && sawLess(standing, draft)) return standing;
    const id = findingId(known.reduce((most, finding) => Math.max(most, ordinal(finding.id)), 0) + 1);
    const added: Finding = { ...draft, id, campaign, at, supersedes: standing?.id ?? null, supersededBy: null };
    if (standing) standing.supersededBy = id;
    file.findings[id] = added;
    return added;
  });
}

type Said = Pick<Finding, 'claim' | 'text'>;
const saysTheSame = (a: Said, b: Said): boolean =>
  a.claim === null || b.claim === null ? a.text === b.text : a.claim === b.claim;

type Measured = Pick<Finding, 'claim' | 'interval' | 'experimentIds'>;
/**
 * Other runs that could not show what stands, and allow it: too few refute nothing. The same runs do, where they are read anew with noise
 * that is better known.
 */
const sawLess = (standing: Measured, { claim, interval, experimentIds }: Measured): boolean =>
  claim === NOT_SHOWN &&
  !standing.experimentIds.every((id) => experimentIds.includes(id)) &&
  (standing.interval === null ||
    interval === null ||
    (interval[0] <= standing.interval[1] && standing.interval[0] <= interval[1]));

const isEqual = (a: Finding, b: Omit<FindingDraft, 'refutes'>): boolean =>
  a.text === b.text && a.n === b.n && a.claim === b.claim && a.experimentIds.join() === b.experimentIds.join();
