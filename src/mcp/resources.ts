import { experimentCost } from '../domain/cost.js';
import { AutoresearchError } from '../domain/errors.js';
import { ExperimentId } from '../domain/ids.js';
import { notebook } from '../domain/notebook.js';
import { resultsTsv } from '../domain/results-tsv.js';
import { leaderboard } from '../domain/standing.js';
import { lookBriefly } from '../lab/advance.js';
import { analyse } from '../lab/analyse.js';
import { campaignStatus } from '../lab/campaign-status.js';
import { pickExperiments } from '../lab/cancel-experiments.js';
import { type Lab, readCampaign, readExperiments } from '../lab/lab.js';
import { rowOf } from './words.js';

export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly description: string;
  readonly mimeType: string;
  /** @param unseen why the machines could not be asked, so that it holds what was known before; null: they were */
  read(lab: Lab, unseen: string | null): Promise<string>;
}

export interface ResourceTemplate {
  readonly uriTemplate: string;
  readonly name: string;
  readonly description: string;
  readonly mimeType: string;
  read(lab: Lab, id: ExperimentId): Promise<string>;
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);

export const RESOURCES: readonly Resource[] = [
  {
    uri: 'autoresearch://campaign',
    name: 'campaign',
    description: 'The campaign: metric, incumbent, fleet, throughput, cost, counts.',
    mimeType: 'application/json',
    async read(lab, unseen) {
      const { finished, notices, ...status } = await campaignStatus(lab, null);
      return json({
        ...status,
        finished: finished.map(({ experiment }) => experiment.id),
        notices: [...(unseen === null ? [] : [unseen]), ...notices],
      });
    },
  },
  {
    uri: 'autoresearch://leaderboard',
    name: 'leaderboard',
    description: 'All experiments with a result, the best first.',
    mimeType: 'application/json',
    async read(lab) {
      const { campaign, experiments, analysis } = await analyse(lab);
      const ranked = leaderboard(experiments, campaign, analysis.judgements);
      return json(ranked.map((row) => rowOf(row, campaign.metric.name, 'full')));
    },
  },
  {
    uri: 'autoresearch://results.tsv',
    name: 'results.tsv',
    description: 'Every experiment that has ended, in SkyPilot’s column order.',
    mimeType: 'text/tab-separated-values',
    async read(lab) {
      const { metric, incumbent } = await readCampaign(lab);
      return resultsTsv(await readExperiments(lab), metric.name, incumbent);
    },
  },
  {
    uri: 'autoresearch://findings',
    name: 'findings',
    description:
      'What all campaigns of the project have shown, with n and experiments; what was refuted is struck through.',
    mimeType: 'text/markdown',
    read: async (lab) => notebook(await lab.store.findings()),
  },
];

const experiment = async (lab: Lab, id: ExperimentId) => pickExperiments(await readExperiments(lab), [id])[0];

async function text(lab: Lab, id: ExperimentId, name: 'log.txt' | 'diff.patch'): Promise<string> {
  const found = await experiment(lab, id);
  const kept = await lab.store.readText(id, name);
  if (kept !== null) return kept;
  throw new AutoresearchError(
    'not_found',
    `${id} has no ${name} yet: it is ${found?.state}.`,
    'Read it once it has ended.',
  );
}

export const RESOURCE_TEMPLATES: readonly ResourceTemplate[] = [
  {
    uriTemplate: 'autoresearch://experiments/{id}',
    name: 'experiment',
    description: 'One experiment: code hash, hardware, times, cost, all metrics.',
    mimeType: 'application/json',
    async read(lab, id) {
      const run = await experiment(lab, id);
      return json({ ...run, costUsd: run ? experimentCost(run, lab.project.settings.prices, lab.now()) : null });
    },
  },
  {
    uriTemplate: 'autoresearch://experiments/{id}/log',
    name: 'experiment log',
    description: 'What its job printed. Untrusted: the job’s words.',
    mimeType: 'text/plain',
    read: (lab, id) => text(lab, id, 'log.txt'),
  },
  {
    uriTemplate: 'autoresearch://experiments/{id}/diff',
    name: 'experiment diff',
    description: 'Its code against the base, as a unified diff.',
    mimeType: 'text/x-diff',
    read: (lab, id) => text(lab, id, 'diff.patch'),
  },
];

/** @throws not_found with the addresses that there are; whatever reading it throws */
export async function readResource(lab: Lab, uri: string): Promise<{ mimeType: string; text: string }> {
  const unseen = await lookBriefly(lab);
  const fixed = RESOURCES.find((resource) => resource.uri === uri);
  if (fixed) return { mimeType: fixed.mimeType, text: await fixed.read(lab, unseen) };
  for (const template of RESOURCE_TEMPLATES) {
    const [before = '', after = ''] = template.uriTemplate.split('{id}');
    const id = ExperimentId.safeParse(uri.slice(before.length, after === '' ? undefined : -after.length));
    if (uri.startsWith(before) && uri.endsWith(after) && id.success) {
      return { mimeType: template.mimeType, text: await template.read(lab, id.data) };
    }
  }
  const known = [
    ...RESOURCES.map((resource) => resource.uri),
    ...RESOURCE_TEMPLATES.map(({ uriTemplate }) => uriTemplate),
  ];
  throw new AutoresearchError('not_found', `There is no resource ${uri}.`, `There are: ${known.join(', ')}.`);
}
