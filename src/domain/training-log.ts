import { z } from 'zod';
import { type Crash, type CrashCause, Literal } from './experiment.js';

/** What a job's log says, design of train.py's output: upstream's summary block, or `METRIC name=value` lines. */
export interface TrainingLog {
  /** `key: number` of the last block behind `---`, and `METRIC name=value`; null when the log has neither. */
  readonly metrics: Readonly<Record<string, number>> | null;
  /** `key: text` of that block. */
  readonly facts: Readonly<Record<string, string>>;
  /** What stands behind `Model config: `. */
  readonly modelConfig: string | null;
  /** `FAIL` at the end of a progress line, or alone: NaN or an exploded loss. */
  readonly saysFail: boolean;
  /** `EXPERIMENT_STATUS: crash` of the published task, which exits 0 all the same. */
  readonly saysCrash: boolean;
  /** Said by the backend's wrapper where the scheduler itself cannot: the timeout ended it, or its setup had failed. */
  readonly saysTimeout: boolean;
  readonly saysSetupFailed: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: ANSI colour codes begin with the escape character.
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
// What a job prints is untrusted: these patterns take linear time whatever stands there.
const SKY_PREFIX = /^\([^()\n]{0,200}pid=\d+(?:, ip=[^()\n]{0,100})?\) ?/;
const KEY_VALUE = /^([A-Za-z_][\w./-]*):\s+(\S.*)$/;
const METRIC_LINE = /^METRIC\s+([A-Za-z_][\w./-]*)\s*=\s*(\S+)\s*$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Characters of a fact, and of a line of a crash's tail, that are worth keeping. */
const LONGEST_FACT = 300;
const LONGEST_LINE = 400;
const TASK_LINE = /^EXPERIMENT_(?:STATUS|RESULT|DESC):/;

/** Lines without colour codes and SkyPilot's `(name, pid=N) `; a progress line that overwrites itself counts as many. */
export function logLines(log: string): string[] {
  return log
    .replace(ANSI, '')
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(SKY_PREFIX, ''));
}

export function parseTrainingLog(log: string): TrainingLog {
  const lines = logLines(log);
  const metrics: Record<string, number> = {};
  const facts: Record<string, string> = {};
  // What is said last holds: a nan takes the number before it away.
  const note = (key: string, value: string) => {
    delete metrics[key];
    delete facts[key];
    if (NUMBER.test(value) && Number.isFinite(Number(value))) metrics[key] = Number(value);
    else facts[key] = value.slice(0, LONGEST_FACT);
  };
  const blockStart = lines.findLastIndex((line) => line.trim() === '---');
  const block = blockStart < 0 ? [] : lines.slice(blockStart + 1);
  for (const line of block) {
    if (TASK_LINE.test(line)) break;
    const [, key, value] = KEY_VALUE.exec(line) ?? [];
    if (key !== undefined && value !== undefined) note(key, value.trimEnd());
  }
  for (const line of lines) {
    const [, key, value] = METRIC_LINE.exec(line) ?? [];
    if (key !== undefined && value !== undefined) note(key, value);
  }
  return {
    metrics: Object.keys(metrics).length > 0 ? metrics : null,
    facts,
    modelConfig: lines.findLast((line) => line.startsWith('Model config: '))?.slice('Model config: '.length) ?? null,
    saysFail: lines.some((line) => /(?:^|[\s|])FAIL$/.test(line)),
    saysCrash: lines.some((line) => /^EXPERIMENT_STATUS:\s*crash\s*$/.test(line)),
    saysTimeout: lines.includes('AUTORESEARCH_TIMEOUT'),
    saysSetupFailed: lines.includes('AUTORESEARCH_SETUP_FAILED'),
  };
}

const CONFIG_LINE = 'config:';

/**
 * Constants as the run itself had them: what stands behind the last `config:`, a JSON object, in the block behind `---`. Read
 * from the log, for the fact of that name holds only its beginning. null where none was printed.
 */
export function printedConstants(log: string): Readonly<Record<string, Literal>> | null {
  const lines = logLines(log);
  const line = lines.slice(lines.lastIndexOf('---') + 1).findLast((text) => text.startsWith(CONFIG_LINE));
  if (line === undefined) return null;
  try {
    return z.record(z.string(), Literal).parse(JSON.parse(line.slice(CONFIG_LINE.length)));
  } catch {
    return null; // the job's own words, which may be anything
  }
}

/** The hash that our wrapper printed for the job of `nonce`: the first such line, for the wrapper speaks before the code. */
export function reportedSnapshot(log: string, nonce: string): string | null {
  const line = logLines(log).find((text) => text.startsWith(`AUTORESEARCH_SNAPSHOT ${nonce} `));
  return line?.split(' ')[2] ?? null;
}

/** The last `count` lines that say something, progress thinned to its last. */
export function logTail(log: string, count = 20): string {
  const lines = logLines(log).filter(
    (line) => line.trim() !== '' && !line.startsWith('AUTORESEARCH_') && !TASK_LINE.test(line),
  );
  const isProgress = (line: string) => /^step \d+/.test(line);
  return lines
    .filter((line, index) => !(isProgress(line) && isProgress(lines[index + 1] ?? '')))
    .slice(-count)
    .map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line))
    .join('\n');
}

export interface JobEnd {
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly setupFailed: boolean;
}

const MEMORY = /OutOfMemoryError|CUDA out of memory|DefaultCPUAllocator: can't allocate memory|MemoryError/;
const MISSING = /command not found|No such file or directory$|ModuleNotFoundError/;

/**
 * Why a run gave no value of `metric`; null when it gave one and ended well. A metric that is printed by a job that then
 * failed is no result: what it was before it failed nobody knows.
 */
export function crashOf(log: string, metric: string, end: JobEnd): Crash | null {
  const { metrics, facts, saysFail, saysCrash } = parseTrainingLog(log);
  const lines = logLines(log);
  const crash = (cause: CrashCause, message: string): Crash => ({ cause, message, tail: logTail(log) });
  if (end.timedOut) return crash('timeout', 'It ran past job_timeout_minutes and was ended.');
  const value = metrics?.[metric];
  if (value !== undefined && Number.isFinite(value) && end.exitCode === 0 && !saysCrash) return null;

  const memory = lines.findLast((line) => MEMORY.test(line));
  if (memory !== undefined) return crash('out_of_memory', memory.trim().slice(0, 300));
  const lastError = lastErrorOf(lines);
  if (end.setupFailed) {
    const said = lastError ?? lines.findLast((line) => /^error\b/i.test(line));
    return crash('setup_failed', said?.slice(0, 300) ?? 'setup of the task failed.');
  }
  if (saysFail) return crash('nan', 'The loss became NaN or exploded: train.py printed FAIL.');
  const missing = lines.findLast((line) => MISSING.test(line));
  const isCause = end.exitCode === 127 || lastError === undefined || lastError === missing?.trim();
  if (missing !== undefined && isCause && (saysCrash || end.exitCode !== 0)) {
    // What stands before is the place of the script that we wrote, which tells nobody anything.
    return crash(
      'missing_command',
      missing
        .trim()
        .replace(/^\S*\.run\.sh: (?:line \d+: )?/, '')
        .slice(0, 300),
    );
  }
  const printed = facts[metric];
  if (printed !== undefined) return crash('metric_not_a_number', `It printed ${metric}: ${printed.slice(0, 80)}`);
  if (lastError !== undefined) return crash('error', lastError.slice(0, 300));
  if (end.exitCode !== 0) return crash('error', `It ended with exit code ${end.exitCode ?? 'unknown'}.`);
  return crash('no_result', `It ended well but printed no "${metric}: <number>" behind a line "---".`);
}

/** The exception that ended it: by its name, else what stands below the last traceback. */
function lastErrorOf(lines: readonly string[]): string | undefined {
  const named = lines.findLast((line) => /^[\w.]*(?:Error|Exception|Interrupt)\b/.test(line));
  const traceback = lines.findLastIndex((line) => line.startsWith('Traceback (most recent call last)'));
  const below = traceback < 0 ? undefined : lines.slice(traceback + 1).find((line) => /^[A-Za-z_]/.test(line));
  return (named ?? below)?.trim();
}
