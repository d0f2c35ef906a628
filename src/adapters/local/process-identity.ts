import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** A pid alone may have been given to another process since; with the time of its start it names one process for good. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

export const HAS_PROC = existsSync('/proc/self/stat');

export interface ProcessStat {
  readonly group: number;
  readonly startedAt: string;
}

/** Null for a process that is gone; a zombie counts as gone, for nothing of it runs and not every init buries its dead. */
export function statOf(pid: number): ProcessStat | null {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The command's name stands in parentheses and may hold spaces and parentheses itself.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  const startedAt = fields[19];
  if (state === 'Z' || state === 'X' || group === undefined || startedAt === undefined) return null;
  return { group: Number(group), startedAt };
}

export function identify(pid: number): ProcessIdentity | null {
  const startedAt = HAS_PROC ? (statOf(pid)?.startedAt ?? null) : startAccordingToPs(pid);
  return startedAt === null ? null : { pid, startedAt };
}

export const isRunning = (identity: ProcessIdentity): boolean =>
  identify(identity.pid)?.startedAt === identity.startedAt;

function startAccordingToPs(pid: number): string | null {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line === '' || line.startsWith('Z') ? null : line.replace(/^\S+\s+/, '');
  } catch {
    return null; // ps ends with 1 where there is no such process
  }
}
