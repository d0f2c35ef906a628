import { existsSync } from 'node:fs';
import { AutoresearchError } from '../../domain/errors.js';
import { experimentId, waveId } from '../../domain/ids.js';
import type { Lab } from '../../lab/lab.js';
import { look } from '../../lab/look.js';
import { campaignReport, experimentReport, read, waveReport } from './build-report.js';
import { drawCampaign, drawFolder } from './draw-campaign.js';
import { drawExperiment } from './draw-experiment.js';
import { drawWave } from './draw-wave.js';
import { findCampaigns } from './find-campaigns.js';
import type { FolderReport, Report } from './report.js';

export type OpenLab = (folder: string) => Promise<Lab>;

type Target = { readonly kind: 'campaign' } | { readonly kind: 'wave' | 'experiment'; readonly id: string };

/** `wave-001`, and `wave-1` and `wave1` for whoever types it. @throws invalid_input */
export function targetOf(what: string | undefined): Target {
  if (what === undefined) return { kind: 'campaign' };
  const [, word, digits] = /^(wave|exp)-?(\d+)$/.exec(what) ?? [];
  if (word === 'wave') return { kind: 'wave', id: waveId(Number(digits)) };
  if (word === 'exp') return { kind: 'experiment', id: experimentId(Number(digits)) };
  throw new AutoresearchError(
    'invalid_input',
    `There is nothing to inspect by the name "${what}".`,
    'Give a wave (wave-001), an experiment (exp-0003), or nothing for the whole campaign; another folder with --project DIR.',
  );
}

/** @throws not_found where there is no campaign; invalid_input where several are and one is needed */
export async function inspect(
  folder: string,
  target: Target,
  withWholeLog: boolean,
  openLab: OpenLab,
): Promise<Report> {
  const projects = await findCampaigns(folder);
  const [project, ...others] = projects;
  if (project === undefined) throw noCampaign(folder);
  if (others.length === 0) return reportOf(await openLab(project), target, withWholeLog);
  if (target.kind === 'campaign') return folderReport(folder, projects, openLab);
  throw severalCampaigns(folder, projects);
}

/** The project that is meant. @throws as `inspect` */
export async function onlyProject(folder: string): Promise<string> {
  const projects = await findCampaigns(folder);
  const [project, ...others] = projects;
  if (project === undefined) throw noCampaign(folder);
  if (others.length > 0) throw severalCampaigns(folder, projects);
  return project;
}

const severalCampaigns = (folder: string, projects: readonly string[]): AutoresearchError =>
  new AutoresearchError(
    'invalid_input',
    `${folder} holds ${projects.length} campaigns beneath it: ${projects.join(', ')}.`,
    'Say which with --project DIR.',
  );

export async function reportOf(lab: Lab, target: Target, withWholeLog: boolean): Promise<Report> {
  const facts = await read(await look(lab));
  switch (target.kind) {
    case 'campaign':
      return campaignReport(facts);
    case 'wave':
      return waveReport(facts, target.id);
    case 'experiment':
      return experimentReport(facts, target.id, withWholeLog);
  }
}

async function folderReport(folder: string, projects: readonly string[], openLab: OpenLab): Promise<FolderReport> {
  const campaigns = [];
  for (const project of projects) {
    const { campaign, metric, best } = campaignReport(await read(await look(await openLab(project))));
    campaigns.push({ project, campaign, metric, best });
  }
  return { kind: 'folder', folder, campaigns };
}

export function draw(report: Report): string {
  switch (report.kind) {
    case 'campaign':
      return drawCampaign(report);
    case 'wave':
      return drawWave(report);
    case 'experiment':
      return drawExperiment(report);
    case 'folder':
      return drawFolder(report);
  }
}

const noCampaign = (folder: string): AutoresearchError =>
  existsSync(folder)
    ? new AutoresearchError(
        'not_found',
        `No campaign has been started in ${folder} or beneath it.`,
        'An agent starts one with launch_wave. To see one now: autoresearch-mcp demo. To look elsewhere: --project DIR.',
      )
    : new AutoresearchError('not_found', `There is no folder ${folder}.`, 'Give another with --project DIR.');
