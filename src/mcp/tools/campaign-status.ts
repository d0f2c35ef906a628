import { z } from 'zod';
import { targetWords } from '../../domain/analysis/target.js';
import { dollars, unpricedWords } from '../../domain/cost.js';
import { verdictWords } from '../../domain/standing.js';
import { lookBriefly } from '../../lab/advance.js';
import { type CampaignStatus, campaignStatus } from '../../lab/campaign-status.js';
import { defineTool } from '../define-tool.js';
import { cents, ExperimentRow, minutes, rounded, rowOf, signed, significant } from '../words.js';

const Cost = z.strictObject({
  usd: z.number().optional(),
  idle_usd: z.number().optional(),
  usd_per_hour: z.number().optional().describe('Of what is up now.'),
  left_usd: z.number().optional(),
  unknown: z.string().optional(),
});

/** Of what has a result. */
const Scored = ExperimentRow.omit({ crash: true });

export const campaignStatusTool = defineTool({
  name: 'campaign_status',
  title: 'Campaign status',
  description:
    'One screen of the whole campaign: incumbent, best so far, counts, fleet, throughput, what finished since you last asked, what to do next. Call it first in a session, and whenever you lost track.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    since: z.number().optional().describe('cursor of your last call; without it all that finished counts as news.'),
  }),
  output: z.strictObject({
    campaign: z.string(),
    metric: z.string(),
    incumbent: Scored.optional(),
    best: Scored.optional(),
    noise: z.strictObject({ sd: z.number(), df: z.number() }).nullable().describe('null: no noise floor yet.'),
    counts: z.record(z.string(), z.number()),
    experiments_left: z.number().optional(),
    cost: Cost.optional(),
    clusters: z.record(z.string(), z.string()).describe('state running+waiting'),
    queue_dry_in_seconds: z.number().optional(),
    experiments_per_hour: z.number().optional(),
    busy_share: z.number().optional(),
    one_gpu_hours: z.number().optional().describe('What one GPU would have needed.'),
    finished: z.array(z.string()).describe('At most the last 16 ids since the cursor.'),
    cursor: z.number(),
    notices: z.array(z.string()).optional(),
    next: z.string(),
  }),
  async run(lab, { since }) {
    const unseen = await lookBriefly(lab);
    const status = await campaignStatus(lab, since ?? null);
    const notices = [...(unseen === null ? [] : [unseen]), ...status.notices];
    const { campaign, counts, throughput, incumbent, best, noise, maxExperiments, queueDryInSeconds } = status;
    const { name, goal } = campaign.metric;
    const used = Object.values(counts).reduce((sum, n) => sum + n, 0) - counts.cancelled;
    const row = (standing: typeof best) => standing && rowOf(standing, name, 'brief');
    const next = nextStep(status);
    return {
      structured: {
        campaign: campaign.name,
        metric: `${goal} ${name}`,
        ...(incumbent ? { incumbent: row(incumbent) ?? undefined } : {}),
        ...(best ? { best: row(best) ?? undefined } : {}),
        noise: noise && { sd: significant(noise.sd), df: noise.effectiveDf },
        counts: Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
        ...(maxExperiments === null ? {} : { experiments_left: Math.max(0, maxExperiments - used) }),
        ...(status.cost.spent.machines > 0 ? { cost: costOf(status) } : {}),
        clusters: Object.fromEntries(
          status.fleet.map(({ cluster, running, waiting }) => [cluster.id, `${cluster.state} ${running}+${waiting}`]),
        ),
        ...(queueDryInSeconds === null ? {} : { queue_dry_in_seconds: Math.round(queueDryInSeconds) }),
        ...(throughput
          ? {
              experiments_per_hour: Number(throughput.experimentsPerHour.toFixed(1)),
              one_gpu_hours: Number(throughput.sequentialHours.toFixed(2)),
            }
          : {}),
        ...(throughput?.busyShare ? { busy_share: Number(throughput.busyShare.toFixed(3)) } : {}),
        finished: status.finished.slice(-16).map(({ experiment }) => experiment.id),
        cursor: status.cursor,
        ...(notices.length > 0 ? { notices } : {}),
        next,
      },
      text: [
        best?.value === undefined || best.value === null
          ? `${campaign.name}: no result yet.`
          : `${campaign.name}: best ${name} ${rounded(best.value)} (${best.experiment.id}${best.delta === null ? '' : `, ${signed(best.delta)} against the incumbent${suffixed(verdictWords(best))}`}).`,
        ...(status.cost.spent.usd ? [`${dollars(status.cost.spent.usd)} spent.`] : []),
        next,
      ].join(' '),
    };
  },
});

const suffixed = (words: string | null): string => (words === null ? '' : `, ${words}`);

/** What is not known is left out, and `unknown` says of how many clusters. */
function costOf({ cost: { spent, idleUsd, perHour }, leftUsd }: CampaignStatus): z.input<typeof Cost> {
  const unknown = unpricedWords(spent);
  return {
    ...(spent.usd === null ? {} : { usd: cents(spent.usd) }),
    ...(idleUsd === null ? {} : { idle_usd: cents(idleUsd) }),
    ...(perHour.usd === null ? {} : { usd_per_hour: cents(perHour.usd) }),
    ...(leftUsd === null ? {} : { left_usd: cents(leftUsd) }),
    ...(unknown === null ? {} : { unknown }),
  };
}

function nextStep({ counts, campaign, queueDryInSeconds, fleet, leftUsd, target }: CampaignStatus): string {
  const open = counts.planned + counts.queued + counts.running;
  if (target !== null) return targetWords(target);
  if (leftUsd === 0)
    return `limits.max_cost_usd is spent: ${open > 0 ? 'wait with fetch_result' : 'teardown'}, then report.`;
  if (open === 0 && Object.values(counts).every((count) => count === 0)) {
    return 'Nothing was run yet: design a first wave with launch_wave.';
  }
  if (open === 0)
    return `All have ended${fleet.length > 0 ? ', and clusters idle' : ''}: launch the next wave, or teardown.`;
  if (campaign.incumbent === null) return 'Wait with fetch_result until the baseline has ended.';
  const dry = queueDryInSeconds ?? 0;
  return counts.queued + counts.planned === 0
    ? `Nothing waits: the first cluster idles in ${minutes(dry)}. Design and launch the next wave now.`
    : `${open} under way: design the next wave, or wait with fetch_result.`;
}
