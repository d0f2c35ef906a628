import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { HAS_PROC, statOf } from './process-identity.js';

/** The environment variable by which a job's processes are known, even those that made a session of their own. */
export const MARKER_VARIABLE = 'AUTORESEARCH_JOB';

export interface Processes {
  /** Null where the group's leader is gone for so long that its number may be another's. */
  readonly group: number | null;
  /** The marker's value, or how it begins. */
  readonly marker: string;
}

/** How long a process may take to end after SIGTERM. */
const GRACE_MS = 3000;
/** After SIGKILL only a process stuck in a driver remains; nobody can end that one. */
const STUCK_MS = 5000;

/** SIGTERM, grace, SIGKILL, until nothing is left. True when nothing is. */
export async function endProcesses(processes: Processes, graceMs = GRACE_MS): Promise<boolean> {
  const startedAt = Date.now();
  let alive = remaining(processes);
  if (alive.length > 0) signal(processes, alive, 'SIGTERM');
  for (let pauseMs = 2; alive.length > 0; pauseMs = Math.min(pauseMs * 2, 50)) {
    await sleep(pauseMs);
    alive = remaining(processes);
    const waitedMs = Date.now() - startedAt;
    if (waitedMs > graceMs + STUCK_MS) return false;
    if (waitedMs > graceMs && alive.length > 0) signal(processes, alive, 'SIGKILL');
  }
  return true;
}

function remaining({ group, marker }: Processes): number[] {
  const groupHasMembers = group !== null && send(-group, 0);
  if (!HAS_PROC) return groupHasMembers ? [-group] : [];
  const needle = `${MARKER_VARIABLE}=${marker}`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && (isMarked(pid, needle) || (groupHasMembers && isMember(pid, group))));
}

function isMarked(pid: number, needle: string): boolean {
  let environment: string;
  try {
    environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return false; // gone meanwhile, or another user's
  }
  return environment.startsWith(needle) || environment.includes(`\0${needle}`);
}

/** A zombie is no member: it runs nothing, and stays for as long as its parent does not ask for it. */
const isMember = (pid: number, group: number): boolean => statOf(pid)?.group === group;

function signal({ group }: Processes, alive: readonly number[], name: 'SIGTERM' | 'SIGKILL'): void {
  if (group !== null) send(-group, name);
  for (const pid of alive) {
    if (pid > 0 && (group === null || !isMember(pid, group))) send(pid, name);
  }
}

/** False when there is no such process or group any more. */
function send(target: number, name: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  try {
    process.kill(target, name);
    return true;
  } catch {
    return false;
  }
}
