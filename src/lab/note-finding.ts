import { AutoresearchError } from '../domain/errors.js';
import type { Finding } from '../domain/finding.js';
import type { ExperimentId, FindingId } from '../domain/ids.js';
import { experimentsOf } from '../domain/wave.js';
import { recordFindings } from './findings.js';
import type { Lab } from './lab.js';

export interface Note {
  readonly text: string;
  readonly experimentIds: readonly ExperimentId[];
  /** A finding, of any campaign, that this one shows to be wrong. */
  readonly refutes: FindingId | null;
}

/** What an agent has learnt. @throws not_found for an experiment or a finding that there is none of; invalid_input if refuted before */
export async function noteFinding(lab: Lab, { text, experimentIds, refutes }: Note): Promise<Finding> {
  const known = new Set<string>((await lab.store.waves()).flatMap(experimentsOf).map(({ id }) => id));
  const missing = experimentIds.filter((id) => !known.has(id));
  if (missing.length > 0) {
    throw new AutoresearchError(
      'not_found',
      `There is no ${missing.join(', ')}.`,
      'Call query_experiments for the ids.',
    );
  }
  const refuted = (await lab.store.findings()).find(({ id }) => id === refutes);
  if (refutes !== null && refuted?.supersededBy !== null) {
    throw new AutoresearchError(
      refuted ? 'invalid_input' : 'not_found',
      refuted ? `${refutes} was refuted before, by ${refuted.supersededBy}.` : `There is no ${refutes}.`,
      'Read autoresearch://findings for those that stand.',
    );
  }
  const ids = [...new Set(experimentIds)];
  const n = ids.length === 0 ? null : ids.length;
  const draft = {
    kind: 'note',
    by: 'agent',
    subject: null,
    claim: null,
    text,
    n,
    interval: null,
    experimentIds: ids,
    refutes,
  } as const;
  const [finding] = await recordFindings(lab, [{ ...draft, experimentIds: ids }]);
  if (!finding) throw new AutoresearchError('state_damaged', 'The finding was not stored.', 'Call again.');
  return finding;
}
