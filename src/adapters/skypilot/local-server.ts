import { execa } from 'execa';
import { AutoresearchError } from '../../domain/errors.js';

/** It answers some ten seconds after it was asked for. */
const LONGEST_START_MS = 120_000;

/** `sky api start`, as its user would; it stays when we leave. @throws backend_failed with what sky said */
export async function startLocalServer(): Promise<void> {
  const { failed, code, all } = await execa('sky', ['api', 'start'], {
    all: true,
    reject: false,
    stdin: 'ignore',
    timeout: LONGEST_START_MS,
  });
  if (!failed) return;
  throw code === 'ENOENT'
    ? new AutoresearchError(
        'backend_failed',
        'There is no command sky on the PATH of this server.',
        'Start it in a shell where there is: sky api start.',
      )
    : new AutoresearchError(
        'backend_failed',
        `sky api start did not succeed: ${(all ?? '').trim().slice(-500)}`,
        'Run it in a shell to see why.',
      );
}
