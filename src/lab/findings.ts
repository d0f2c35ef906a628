import { isDeepStrictEqual } from 'node:util';
import { findingsOf } from '../domain/analysis/report-findings.js';
import { addFindings, type Finding, type FindingDraft, type FindingsFile } from '../domain/finding.js';
import { type Lab, readCampaign, readWaves } from './lab.js';

/**
 * Writes down what was learnt, of this campaign. Saying again what stands changes nothing, so an analysis may call it each time.
 * @returns the findings that now stand for the drafts, in their order
 */
export async function recordFindings(lab: Lab, drafts: readonly FindingDraft[]): Promise<Finding[]> {
  if (drafts.length === 0) return [];
  const about = { campaign: lab.project.campaign, at: lab.now() };
  // Writing takes a lock and the disk's time, and mostly all of it stands already.
  const known = await lab.store.findings();
  const tried: FindingsFile = { findings: Object.fromEntries(known.map((finding) => [finding.id, { ...finding }])) };
  let recorded = addFindings(tried, drafts, about);
  if (isDeepStrictEqual(Object.values(tried.findings), known)) return recorded;
  await lab.store.updateFindings((file) => {
    recorded = addFindings(file, drafts, about);
  });
  return recorded;
}

/** What an analysis of the whole campaign has shown; of a part of it, the rest would seem refuted. */
export async function recordReport(lab: Lab, report: Parameters<typeof findingsOf>[0]): Promise<Finding[]> {
  const { metric } = await readCampaign(lab);
  const standing = (await lab.store.findings()).flatMap(({ campaign, supersededBy, subject }) =>
    campaign === lab.project.campaign && supersededBy === null && subject !== null ? [subject] : [],
  );
  return recordFindings(lab, findingsOf(report, await readWaves(lab), metric, new Set(standing)));
}
