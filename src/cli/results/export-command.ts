import { writeFile } from 'node:fs/promises';
import { AutoresearchError } from '../../domain/errors.js';
import { resultsTsv } from '../../domain/results-tsv.js';
import { type Lab, readCampaign, readExperiments } from '../../lab/lab.js';

/** What the store holds, on stdout or in a file. */
export async function runExport(lab: Lab, out: string | undefined): Promise<void> {
  const { metric, incumbent } = await readCampaign(lab);
  const table = resultsTsv(await readExperiments(lab), metric.name, incumbent);
  if (out === undefined) {
    process.stdout.write(table);
    return;
  }
  await writeFile(out, table).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AutoresearchError(
      'invalid_input',
      `${out} cannot be written: ${reason}`,
      'Name another file with --out.',
    );
  });
  process.stdout.write(`${table.split('\n').length - 2} runs in ${out}.\n`);
}
