import { existsSync, readFileSync } from 'node:fs';

const STATE = process.env['SKYPILOT_SLURM_STATE'] ?? '/var/lib/skypilot-slurm';

/** Whether the API server is that of test/skypilot-slurm/up, whose machines are processes of this one. */
export const isHarness =
  existsSync(`${STATE}/env`) &&
  readFileSync(`${STATE}/env`, 'utf8').includes(`ENDPOINT=${process.env['SKYPILOT_API_SERVER_ENDPOINT']}\n`);
