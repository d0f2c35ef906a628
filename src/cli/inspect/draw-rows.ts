import { kindOf } from '../../domain/decision.js';
import { verdictWords } from '../../domain/standing.js';
import { foreignLine } from './foreign-text.js';
import { difference, duration, metricValue, money, NONE } from './quantities.js';
import type { MainEffectRow, Row, WaveReport } from './report.js';
import { bad, dim, good, table, warning } from './table.js';

export const NO_NOISE_FLOOR =
  'No noise floor is known yet, so a better value is not a win: it may be chance. Replicates will tell.';

/** Experiments as a ranked table. */
export function drawRows(rows: readonly Row[], metric: string): string {
  // Where nobody knows a price, a column of dashes would tell nothing.
  const isJudged = rows.some(({ verdict }) => verdict !== null);
  const isPriced = rows.some(({ cost_usd }) => cost_usd !== null);
  return table(
    [
      { head: '#', align: 'right' },
      { head: 'experiment' },
      { head: metric, align: 'right' },
      { head: '− incumbent', align: 'right' },
      ...(isJudged ? [{ head: 'verdict' }] : []),
      { head: 'state' },
      { head: 'ran', align: 'right' },
      ...(isPriced ? [{ head: 'cost', align: 'right' as const }] : []),
      { head: 'on' },
      { head: 'what' },
    ],
    rows.map((row) => [
      row.rank === null ? NONE : String(row.rank),
      row.is_incumbent ? good(row.experiment_id) : row.experiment_id,
      metricValue(row.value),
      row.is_incumbent ? dim('incumbent') : difference(row.delta),
      ...(isJudged ? [coloured(row)] : []),
      stateOf(row),
      duration(row.run_seconds),
      ...(isPriced ? [money(row.cost_usd)] : []),
      row.cluster ?? NONE,
      whatOf(row),
    ]),
  );
}

/** `P=0.99 win (n=2, df=6)` */
export function verdictOf({ verdict, p_better, n, df }: Row): string | null {
  return verdictWords({ verdict, pBetter: p_better, n, df });
}

function coloured(row: Row): string {
  const words = verdictOf(row);
  if (words === null) return NONE;
  return row.verdict === 'win' ? good(words) : row.verdict === 'loss' ? dim(words) : words;
}

export const noiseWords = (noise: Noise): string =>
  noise === null
    ? NO_NOISE_FLOOR
    : `equal runs differ by SD ${Number(noise.sd.toPrecision(3))} (df ${noise.df}${noise.prior === null ? '' : `, and a prior of ${Number(noise.prior.toPrecision(3))}`})`;
type Noise = WaveReport['noise_floor'];

export function stateOf({ state, crash_cause }: Row): string {
  const words = crash_cause === null ? state : `${state}: ${crash_cause}`;
  if (state === 'done') return state;
  return ['planned', 'queued', 'running'].includes(state) ? warning(words) : bad(words);
}

const whatOf = ({ description, replicate_of, note, decision }: Row): string =>
  [
    ...(decision === null ? [] : [(decision.kind === 'keep' ? good : dim)(`[${kindOf(decision)}]`)]),
    foreignLine(description),
    ...(replicate_of === null ? [] : [dim(`(replicate of ${replicate_of})`)]),
    ...(note === null ? [] : [dim(`(${foreignLine(note)})`)]),
  ].join(' ');

const UNBALANCED =
  '  n differs between levels, for some runs have no result: part of a difference may be the other factors’.';

/** What each factor did: the mean at each of its levels, over all levels of the others. */
export function drawEffects(effects: readonly MainEffectRow[], metric: { name: string; goal: string }): string {
  const best = metric.goal === 'minimize' ? Math.min : Math.max;
  const isBalanced = effects.every(({ levels }) => new Set(levels.map(({ n }) => n)).size === 1);
  const drawn = table(
    [
      { head: 'factor' },
      { head: 'level', align: 'right' },
      { head: `mean ${metric.name}`, align: 'right' },
      { head: 'n', align: 'right' },
      { head: 'largest − smallest mean', align: 'right' },
    ],
    effects.flatMap(({ factor, range, levels }) => {
      const top = best(...levels.map(({ mean }) => mean));
      return levels.map(({ level, mean, n }, index) => [
        index === 0 ? foreignLine(factor) : '',
        foreignLine(level),
        mean === top ? good(metricValue(mean)) : metricValue(mean),
        String(n),
        index === 0 ? metricValue(range) : '',
      ]);
    }),
  );
  return isBalanced ? drawn : `${drawn}\n${warning(UNBALANCED)}`;
}
