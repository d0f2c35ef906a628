import { AutoresearchError } from '../domain/errors.js';
import type { Lab } from '../lab/lab.js';
import type { ClusterBackend, Starter } from '../ports/cluster-backend.js';
import type { Call } from './define-tool.js';

/** Nobody may be there at night: who did not say yes is not asked again for so long. */
const ASK_AGAIN_MS = 3_600_000;
const refusedAt = new WeakMap<ClusterBackend, number>();
/** Calls that meet ask once. */
const asking = new WeakMap<ClusterBackend, Promise<boolean>>();

/**
 * Where the backend is down and could be started on this machine, the person is asked whether to.
 * @returns whether it runs now, so that the call is worth another try
 */
export async function offerStart(error: unknown, lab: Lab, { ask }: Call): Promise<boolean> {
  const isDown = error instanceof AutoresearchError && error.code === 'backend_down';
  const start = isDown ? await lab.backend.starter?.() : null;
  if (!isDown || !start || !ask) return false;
  if (lab.now() - (refusedAt.get(lab.backend) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return false;
  const known = asking.get(lab.backend);
  if (known) return known;
  const answer = startIfWanted(lab, start, () => ask(`${error.message} Start it now with \`${start.command}\`?`));
  asking.set(lab.backend, answer);
  return await answer.finally(() => asking.delete(lab.backend));
}

async function startIfWanted(lab: Lab, { run }: Starter, ask: () => Promise<boolean>): Promise<boolean> {
  if (await ask()) {
    await run();
    return true;
  }
  refusedAt.set(lab.backend, lab.now());
  return false;
}
