import type { CrashCause, Experiment, Literal } from '../experiment.js';
import { levelLabel } from './main-effects.js';

export interface CrashRow {
  /** A factor, or a constant that was overridden. */
  readonly setting: string;
  readonly level: string;
  /** Runs that gave a result, and that crashed or timed out. Those cancelled, lost or still open are neither. */
  readonly ran: number;
  readonly crashed: number;
  readonly causes: Readonly<Partial<Record<CrashCause, number>>>;
}

type Run = Pick<Experiment, 'levels' | 'overrides' | 'state' | 'crash'>;

/**
 * Where runs crash: for each setting that crashed at some level, all of its levels, the setting with the most crashes
 * first. A count and no more: with several settings at once it does not say which of them it was.
 */
export function crashMap(experiments: readonly Run[]): CrashRow[] {
  const ended = experiments.filter(({ state }) => state === 'done' || isCrash(state));
  const settings = new Map<string, Map<string, Run[]>>();
  for (const run of ended) {
    for (const [setting, level] of Object.entries<Literal>({ ...run.overrides, ...run.levels })) {
      const levels = settings.get(setting) ?? new Map<string, Run[]>();
      settings.set(setting, levels.set(levelLabel(level), [...(levels.get(levelLabel(level)) ?? []), run]));
    }
  }
  const crashesOf = (levels: ReadonlyMap<string, readonly Run[]>) =>
    [...levels.values()].reduce((sum, runs) => sum + runs.filter(({ state }) => isCrash(state)).length, 0);
  return [...settings]
    .filter(([, levels]) => crashesOf(levels) > 0)
    .sort(([, a], [, b]) => crashesOf(b) - crashesOf(a))
    .flatMap(([setting, levels]) => [...levels].sort(byLevel).map(([level, runs]) => rowOf(setting, level, runs)));
}

const isCrash = (state: Run['state']): boolean => state === 'crashed' || state === 'timed_out';

const byLevel = ([a]: [string, unknown], [b]: [string, unknown]): number => a.localeCompare(b, 'en', { numeric: true });

function rowOf(setting: string, level: string, runs: readonly Run[]): CrashRow {
  const crashes = runs.filter(({ state }) => isCrash(state));
  const causes: Partial<Record<CrashCause, number>> = {};
  for (const { crash, state } of crashes) {
    const cause = crash?.cause ?? (state === 'timed_out' ? 'timeout' : 'error');
    causes[cause] = (causes[cause] ?? 0) + 1;
  }
  return { setting, level, ran: runs.length - crashes.length, crashed: crashes.length, causes };
}
