import type { Metric } from '../domain/campaign.js';
import type { Decision } from '../domain/decision.js';
import { commitMessage, decisionFinding, type Evidence } from '../domain/decision-words.js';
import { AutoresearchError } from '../domain/errors.js';
import { type Experiment, isSettled, metricOf } from '../domain/experiment.js';
import type { ExperimentId } from '../domain/ids.js';
import { standings } from '../domain/standing.js';
import { firstIncumbent } from './advance.js';
import { analyse } from './analyse.js';
import { applyKept } from './apply-kept.js';
import { pickExperiments } from './cancel-experiments.js';
import { recordFindings } from './findings.js';
import { type Lab, updateCampaign } from './lab.js';

export interface DecisionRequest {
  readonly id: ExperimentId;
  readonly kind: Decision['kind'];
  readonly reason: string;
  readonly commit: boolean;
}

export interface Decided {
  readonly experiment: Experiment;
  readonly decision: Decision;
  readonly incumbent: ExperimentId | null;
  /** Files of the project that a keep changed now. */
  readonly changed: readonly string[];
  readonly delta: number | null;
  readonly notes: readonly string[];
}

/**
 * A keep puts the experiment's code into the project, makes it the incumbent and commits it if asked; a discard only says so. The files
 * are changed before anything is written down, so what was interrupted can be asked for again.
 * @throws not_found; invalid_input for a run that cannot be decided on; invalid_code, invalid_project as `applyKept`
 */
export const recordDecision = (lab: Lab, ask: DecisionRequest): Promise<Decided> =>
  lab.store.whileDeciding(() => decide(lab, ask));

async function decide(lab: Lab, { id, kind, reason, commit }: DecisionRequest): Promise<Decided> {
  const { campaign, experiments, analysis } = await analyse(lab);
  const [experiment] = pickExperiments(experiments, [id]);
  if (!experiment) throw new AutoresearchError('not_found', `There is no ${id}.`, 'Call campaign_status.');
  const value = metricOf(experiment, campaign.metric.name);
  assertDecidable(experiment, kind, value);
  const kept = experiments.find((run) => run.id === campaign.incumbent && run.id !== id);
  if (kind === 'keep' && kept && isSameCode(kept, experiment)) {
    throw new AutoresearchError(
      'invalid_input',
      `${id} runs the incumbent's own code (${kept.id}), so there is nothing to keep: where it looks better, that is noise.`,
      `Keep a run of other code, or give ${kept.id} to decide on the incumbent once more.`,
    );
  }
  const before = experiment.decision;
  // Of the incumbent itself there is no verdict: what it was kept for still holds.
  const earlier = campaign.incumbent === id && before?.kind === 'keep' ? before : null;
  const against = earlier ? earlier.against : campaign.incumbent;
  const [standing] = standings([experiment], experiments, campaign, analysis.judgements);
  const evidence: Evidence = {
    experiment,
    replicates: experiments.filter((run) => isSameCode(run, experiment) && run.state === 'done' && run.id !== id),
    incumbent: experiments.find((run) => run.id === against && run.id !== id) ?? null,
    metric: campaign.metric.name,
    judgement: earlier ? null : (analysis.judgements.get(id) ?? null),
    verdict: standing?.verdict ?? earlier?.verdict ?? null,
    reason,
  };
  const applied = kind === 'keep' ? await applyKept(lab, experiment, commit ? commitMessage(evidence) : null) : null;
  const decision: Decision = {
    kind,
    reason,
    at: lab.now(),
    verdict: evidence.verdict,
    against: evidence.incumbent?.id ?? null,
    commit: applied?.commit ?? (kind === 'keep' ? (earlier?.commit ?? null) : null),
  };
  await lab.store.updateWave(experiment.waveId, ({ experiments: stored }) => {
    const run = stored[id];
    if (run) run.decision = decision;
  });
  const isDethroned = kind === 'discard' && campaign.incumbent === id;
  const next =
    kind === 'keep' ? id : isDethroned ? incumbentBefore(experiment, experiments, campaign.metric) : campaign.incumbent;
  if (next !== campaign.incumbent) await updateCampaign(lab, (file) => void Object.assign(file, { incumbent: next }));
  await recordFindings(lab, [decisionFinding(evidence, decision)]);
  return {
    experiment,
    decision,
    incumbent: next,
    changed: applied?.changed ?? [],
    delta: standing?.delta ?? null,
    notes: [
      ...(before ? [`It replaces the decision "${before.kind}: ${before.reason}".`] : []),
      ...(applied?.notes ?? []),
      ...(kind === 'discard' && commit ? ['A discard changes no file, so there is nothing to commit.'] : []),
      ...(kind === 'discard' && before?.kind === 'keep'
        ? ['The project’s files still hold its change: take it out of them yourself.']
        : []),
    ],
  };
}

/** Comments and spaces aside; of old experiments no identity was recorded. */
const isSameCode = (a: Experiment, b: Experiment): boolean =>
  a.snapshot === b.snapshot || (a.identity !== null && a.identity === b.identity);

function assertDecidable(
  { id, state, imported, crash }: Experiment,
  kind: Decision['kind'],
  value: number | null,
): void {
  const refuse = (what: string, hint: string) => new AutoresearchError('invalid_input', `${id} ${what}.`, hint);
  if (!isSettled(state)) throw refuse(`is ${state}`, 'Wait with fetch_result, or call cancel_experiments.');
  if (kind === 'discard') return;
  if (imported) throw refuse('was imported, and nobody knows its code', 'Launch what it describes, and keep that run.');
  if (value === null)
    throw refuse(`has no result (${crash?.cause ?? state}), so there is nothing to keep`, 'Keep a run that is done.');
}

/** What was kept last before, else the base that the campaign began with, which is what all is compared with in the end. */
function incumbentBefore({ id }: Experiment, experiments: readonly Experiment[], metric: Metric): ExperimentId | null {
  const kept = experiments.filter((run) => run.id !== id && run.decision?.kind === 'keep');
  const last = kept.sort((a, b) => (a.decision?.at ?? 0) - (b.decision?.at ?? 0)).at(-1);
  return last?.id ?? firstIncumbent(experiments, metric);
}
