import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { endProcesses } from './process-group.js';

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly envs: Readonly<Record<string, string | undefined>>;
  /** The processes write to the file itself, so that nothing that dies takes their output, or them, along. */
  readonly logPath: string;
  readonly marker: string;
  readonly timeoutMs: number;
}

export interface Ending {
  readonly reason: 'exited' | 'timed_out' | 'stopped';
  readonly exitCode: number | null;
  readonly endedAt: number;
}

export interface ProcessRun {
  readonly pid: number | null;
  readonly startedAt: number;
  /** Resolves when the command has ended and nothing that it started is left. */
  readonly ended: Promise<Ending>;
  stop(): void;
}

/** Longer than this and Node's timers fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function startProcess({ argv, cwd, envs, logPath, marker, timeoutMs }: Command): ProcessRun {
  const [file, ...args] = argv;
  const startedAt = Date.now();
  let log: number;
  try {
    log = openSync(logPath, 'a');
  } catch (error) {
    // A full disk, most likely: the job fails and the queue goes on.
    process.stderr.write(`${logPath} could not be opened: ${error}\n`);
    const ending: Ending = { reason: 'exited', exitCode: null, endedAt: startedAt };
    return { pid: null, startedAt, ended: Promise.resolve(ending), stop: () => {} };
  }
  const child = spawn(file, args, { cwd, env: { ...envs }, detached: true, stdio: ['ignore', log, log] });
  child.once('error', (error) => {
    if (child.pid === undefined) writeSync(log, `The command could not be started: ${error.message}\n`);
  });
  const processes = { group: child.pid ?? null, marker };

  let reason: Ending['reason'] = 'exited';
  let giveUp: () => void = () => {};
  const stuck = new Promise<null>((resolve) => {
    giveUp = () => resolve(null);
  });
  const end = async (why: 'timed_out' | 'stopped'): Promise<void> => {
    if (reason !== 'exited' || child.exitCode !== null || child.signalCode !== null) return;
    reason = why;
    if (!(await endProcesses(processes))) giveUp();
  };
  const timer = setTimeout(() => void end('timed_out'), Math.min(timeoutMs, LONGEST_TIMER_MS));

  return {
    pid: child.pid ?? null,
    startedAt,
    ended: Promise.race([exitOf(child), stuck]).then(async (exitCode) => {
      const endedAt = Date.now();
      clearTimeout(timer);
      await endProcesses(processes);
      closeSync(log);
      return { reason, exitCode, endedAt };
    }),
    stop: () => void end('stopped'),
  };
}

/** As a shell would say it: 128 and the signal's number, 127 for what could not be started. */
function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    child.once('error', () => {
      if (child.pid === undefined) resolve(127);
    });
  });
}
