import { configOf } from '../domain/analysis/campaign-analysis.js';
import { codeOf, differing } from '../domain/analysis/shape-constants.js';
import type { Experiment } from '../domain/experiment.js';
import { printedConstants } from '../domain/training-log.js';
import { modelOf } from './duplicates.js';
import type { Lab } from './lab.js';
import type { SnapshottedRequest } from './snapshot-requests.js';

/**
 * The runs, where one whose overrides only spell out what an earlier run printed of its constants takes that run's code:
 * `MATRIX_LR = {"cpu": 0.06}.get(SIZE, 0.04)` is 0.06 on this machine, and only a run can say so. As the machine may matter, that
 * code must have printed it on each of these accelerators; null: there is one machine, so where it ran is no question.
 */
export async function asPrinted(
  lab: Lab,
  runs: readonly SnapshottedRequest[],
  earlier: readonly Experiment[],
  accelerators: readonly string[] | null,
): Promise<SnapshottedRequest[]> {
  const done = earlier.filter(({ state }) => state === 'done');
  const printedBy = rememberedConstants(lab);

  async function hasPrinted(code: Experiment, wanted: Values, accelerator: string | null): Promise<boolean> {
    for (const run of done) {
      if (configOf(run) !== configOf(code) || (accelerator !== null && run.accelerators !== accelerator)) continue;
      const printed = await printedBy(run);
      if (printed !== null) return differing(wanted, pick(printed, Object.keys(wanted))).length === 0;
    }
    return false;
  }

  async function speltOut(run: SnapshottedRequest): Promise<{ of: Experiment; values: Values } | null> {
    const model = modelOf(run);
    const code = run.request.replicateOf === null ? codeOf(model) : null;
    if (code === null || accelerators?.length === 0) return null;
    for (const of of done) {
      const names = differing(model.overrides, of.overrides);
      if (names.length === 0 || names.some((name) => name in of.overrides) || codeOf(of) !== code) continue;
      const values = pick(model.overrides, names);
      const shown = await Promise.all((accelerators ?? [null]).map((one) => hasPrinted(of, values, one)));
      if (shown.every(Boolean)) return { of, values };
    }
    return null;
  }

  return await Promise.all(
    runs.map(async (run) => {
      const spelt = await speltOut(run);
      if (spelt === null) return run;
      const { id, snapshot, isBaseline } = spelt.of;
      const words = Object.entries(spelt.values).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
      return {
        ...run,
        snapshot: await lab.snapshots.load(snapshot),
        identity: configOf(spelt.of),
        isBaseline,
        sameAs: `${id} printed ${words.join(', ')} itself`,
      };
    }),
  );
}

type Values = Experiment['overrides'];

const pick = (values: Values, names: readonly string[]): Values =>
  Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));

/** Of each run its log is read once. */
function rememberedConstants(lab: Lab): (run: Experiment) => Promise<Values | null> {
  const known = new Map<string, Promise<Values | null>>();
  return (run) => {
    const constants =
      known.get(run.id) ?? lab.store.readText(run.id, 'log.txt').then((log) => printedConstants(log ?? ''));
    known.set(run.id, constants);
    return constants;
  };
}
