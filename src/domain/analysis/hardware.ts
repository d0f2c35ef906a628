import { type Fit, inner, leastSquares, type Noise } from './least-squares.js';

/** A run that ended with a result. */
export interface HardwareRun {
  readonly accelerator: string;
  /** Equal for replicates of one configuration. */
  readonly config: string;
  readonly value: number;
  /** `num_steps` and `training_seconds` as printed; null where they were not. */
  readonly steps: number | null;
  readonly trainingSeconds: number | null;
}

export interface HardwareRow {
  readonly accelerator: string;
  readonly n: number;
  /** Means; null where no run printed it. */
  readonly steps: number | null;
  readonly stepMilliseconds: number | null;
  /**
   * What the metric is higher by here than on the reference, in its unit, by configurations that ran on both, directly or
   * through a third accelerator; 0 for the reference itself, null where none connects the two.
   */
  readonly offset: number | null;
  /** null for the reference, and without a noise floor and a residual. */
  readonly offsetSe: number | null;
}

export interface HardwareReport {
  /** The accelerator with the most runs. */
  readonly reference: string;
  /** The reference first, the others by number of runs. */
  readonly rows: readonly HardwareRow[];
}

/**
 * Accelerators side by side. Offsets by least squares, value = config + accelerator. The standard error is that of the
 * runs' noise: hosts of one kind differ besides, which only blocks show. null without runs.
 */
export function compareHardware(runs: readonly HardwareRun[], noise: Noise | null): HardwareReport | null {
  const counts = new Map<string, number>();
  for (const { accelerator } of runs) counts.set(accelerator, (counts.get(accelerator) ?? 0) + 1);
  const names = [...counts.keys()].sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  const reference = names[0];
  if (reference === undefined) return null;
  const joined = connectedTo(reference, runs);
  const fitted = runs.filter(({ accelerator }) => joined.has(accelerator));
  const fit = withinConfigs(
    names.slice(1).filter((name) => joined.has(name)),
    fitted,
  );
  const floor = noise ?? fit.residual;
  return {
    reference,
    rows: names.map((accelerator) => {
      const here = runs.filter((run) => run.accelerator === accelerator);
      const found = fit.coefficients.find(({ name }) => name === accelerator);
      return {
        accelerator,
        n: here.length,
        steps: meanOf(here.map(({ steps }) => steps)),
        stepMilliseconds: meanOf(
          here.map(({ steps, trainingSeconds }) =>
            steps && trainingSeconds !== null ? (trainingSeconds / steps) * 1000 : null,
          ),
        ),
        offset: accelerator === reference ? 0 : (found?.estimate ?? null),
        offsetSe: found && floor ? floor.sd * Math.sqrt(found.unitVariance) : null,
      };
    }),
  };
}

/**
 * Least squares on accelerators with a term for each configuration. Those are swept out as deviations from the configurations' means
 * (Frisch & Waugh 1933), which gives the same: a thousand columns would take seconds.
 */
function withinConfigs(names: readonly string[], runs: readonly HardwareRun[]): Fit {
  const groups = new Map<string, number[]>();
  for (const [row, { config }] of runs.entries()) {
    const group = groups.get(config);
    if (group) group.push(row);
    else groups.set(config, [row]);
  }
  const swept = (of: (run: HardwareRun) => number): number[] => {
    const values = runs.map(of);
    for (const group of groups.values()) {
      const mean = group.reduce((sum, row) => sum + (values[row] ?? 0), 0) / group.length;
      for (const row of group) values[row] = (values[row] ?? 0) - mean;
    }
    return values;
  };
  const columns = names.map((name) => ({ name, values: swept((run) => Number(run.accelerator === name)) }));
  const y = swept(({ value }) => value);
  const fit = leastSquares(columns, y);
  const df = runs.length - groups.size - fit.coefficients.length;
  const square = fit.residual ? fit.residual.sd ** 2 * fit.residual.df : inner(y, y);
  return { ...fit, residual: df > 0 ? { sd: Math.sqrt(square / df), df } : null };
}

function connectedTo(reference: string, runs: readonly HardwareRun[]): ReadonlySet<string> {
  const joined = new Set([reference]);
  for (let before = 0; before < joined.size; ) {
    before = joined.size;
    const configs = new Set(runs.flatMap(({ accelerator, config }) => (joined.has(accelerator) ? [config] : [])));
    for (const { accelerator, config } of runs) if (configs.has(config)) joined.add(accelerator);
  }
  return joined;
}

function meanOf(values: readonly (number | null)[]): number | null {
  const there = values.filter((value) => value !== null);
  return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length;
}
