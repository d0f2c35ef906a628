import { AutoresearchError } from './errors.js';

/** A line of a `results.tsv` that somebody else wrote. */
export interface ResultsRow {
  /** What it was called there: `experiment_id` or `commit`, whichever column there is. */
  readonly name: string | null;
  /** From a column `commit`. */
  readonly commit: string | null;
  /** In the file's words: keep, discard, crash, or whatever stands there. */
  readonly status: string;
  /** null: no result, as a crash has none. */
  readonly value: number | null;
  readonly memoryGb: number | null;
  readonly description: string;
}

export interface ReadResults {
  readonly rows: readonly ResultsRow[];
  /** Lines that could not be read, with why. */
  readonly problems: readonly string[];
}

/**
 * Both published column orders, and any other, by the header: SkyPilot's `experiment_id status val_bpb memory_gb description` and
 * karpathy's `commit val_bpb memory_gb status description`. Both write a crash as 0.000000, which becomes no result: where the status says
 * crash, and where memory is 0 too, for some call such a run discarded.
 * @throws invalid_input without a header that names the metric
 */
export function readResultsTsv(text: string, metric: string): ReadResults {
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== '');
  const head = (lines[0]?.line ?? '').split('\t').map((name) => name.trim());
  if (!head.includes(metric)) {
    throw new AutoresearchError(
      'invalid_input',
      `The first line has no column ${metric}: ${head.join(', ').slice(0, 200) || 'the file is empty'}.`,
      'It must name the columns, tabs between them; the metric is that of autoresearch.yaml.',
    );
  }
  const rows: ResultsRow[] = [];
  const problems: string[] = [];
  for (const { line, number } of lines.slice(1)) {
    const row = rowOf(head, cellsOf(line, head.length), metric);
    if (typeof row === 'string') problems.push(`line ${number}: ${row}`);
    else rows.push(row);
  }
  return { rows, problems };
}

/** A description may hold tabs, and stands last in both orders. */
function cellsOf(line: string, count: number): string[] {
  const cells = line.split('\t').map((cell) => cell.trim());
  return [...cells.slice(0, count - 1), cells.slice(count - 1).join(' ')];
}

function rowOf(head: readonly string[], cells: readonly string[], metric: string): ResultsRow | string {
  const cell = (name: string): string | null => {
    const text = cells[head.indexOf(name)];
    return head.includes(name) && text !== undefined && text !== '' ? text : null;
  };
  const status = (cell('status') ?? '').toLowerCase();
  const memoryGb = numberOf(cell('memory_gb'));
  const written = numberOf(cell(metric));
  if (written === undefined && status !== 'crash') return `${metric} is no number: "${cell(metric)?.slice(0, 40)}"`;
  const isCrash = status === 'crash' || (written === 0 && memoryGb === 0);
  return {
    name: cell('experiment_id') ?? cell('commit'),
    commit: cell('commit'),
    status,
    value: isCrash ? null : (written ?? null),
    memoryGb: isCrash || !memoryGb ? null : memoryGb,
    description: cell('description') ?? cell('experiment_id') ?? cell('commit') ?? 'no description',
  };
}

/** null: nothing stands there. undefined: something that is no number. */
function numberOf(text: string | null): number | null | undefined {
  if (text === null || /^(nan|none|null|-|n\/a)$/i.test(text)) return null;
  return Number.isFinite(Number(text)) ? Number(text) : undefined;
}
