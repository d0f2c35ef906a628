import { AutoresearchError } from '../domain/errors.js';
import { metricOf } from '../domain/experiment.js';
import { tryToAdvance } from './advance.js';
import { type Lab, readExperiments } from './lab.js';
import { PATIENCE_MS } from './patience.js';
import type { PlanRequest } from './plan-request.js';
import { type Plan, planRuns } from './plan-runs.js';

/**
 * Plans, stores and submits; answers at once, with the experiments as they stand after the submission. What is stored will run:
 * machines that cannot be asked just now are no error.
 */
export async function submitRuns(lab: Lab, ask: PlanRequest): Promise<Plan> {
  const plan = await planRuns(lab, ask);
  if (!plan.wave) return plan;
  await tryToAdvance(lab, PATIENCE_MS);
  const waveId = plan.wave.wave.id;
  const experiments = (await readExperiments(lab)).filter((experiment) => experiment.waveId === waveId);
  return { ...plan, wave: { ...plan.wave, experiments: Object.fromEntries(experiments.map((run) => [run.id, run])) } };
}

/** Like `submitRuns`, for one run: what was run before is refused with its result. */
export async function submitRun(lab: Lab, ask: PlanRequest): Promise<Plan> {
  const plan = await submitRuns(lab, ask);
  const [duplicate] = plan.duplicates;
  if (plan.wave || !duplicate) return plan;
  const { of, why } = duplicate;
  const { name } = lab.project.settings.metric;
  const value = metricOf(of, name);
  throw new AutoresearchError(
    'duplicate',
    `${of.id} runs or ran ${why === null ? 'this code' : `this (${why})`}: ${of.state}${value === null ? '' : `, ${name} ${value}`}.`,
    `Call fetch_result for it, change something, or ask for one more run on purpose: replicate_of: ${of.id}.`,
  );
}
