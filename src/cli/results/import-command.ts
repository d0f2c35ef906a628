import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { AutoresearchError } from '../../domain/errors.js';
import { importResults } from '../../lab/import-results.js';
import type { Lab } from '../../lab/lab.js';
import { foreignLine } from '../inspect/foreign-text.js';

/** Problems are shown one by one up to here. */
const MOST_PROBLEMS = 10;

export async function runImport(lab: Lab, path: string, campaign: string | undefined): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AutoresearchError('invalid_input', `${path} cannot be read: ${reason}`, 'Name a results.tsv.');
  });
  const source = foreignLine(basename(path));
  const done = await importResults(lab, { text, source, campaign: campaign ?? campaignFor(source) });
  const { experiments, withResult, known, problems } = done;
  const ids = experiments.length === 0 ? '' : ` (${experiments[0]?.id} to ${experiments.at(-1)?.id})`;
  process.stdout.write(
    [
      `Campaign ${done.campaign}: ${experiments.length} runs imported${ids}, ${withResult} with a result.`,
      ...(known > 0 ? [`${known} had been imported before.`] : []),
      ...problems.slice(0, MOST_PROBLEMS).map((problem) => `Left out, ${foreignLine(problem)}`),
      ...(problems.length > MOST_PROBLEMS ? [`… and ${problems.length - MOST_PROBLEMS} more lines.`] : []),
      '',
    ].join('\n'),
  );
}

/** `results.tsv` gives `imported-results`. */
const campaignFor = (file: string): string =>
  `imported-${file
    .toLowerCase()
    .replace(/\.[a-z]+$/, '')
    .replace(/[^a-z0-9]+/g, '-')}`
    .slice(0, 40)
    .replace(/-+$/, '');
