import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  crashOf,
  type JobEnd,
  logLines,
  logTail,
  parseTrainingLog,
  reportedSnapshot,
} from '../../src/domain/training-log.js';

const log = (name: string): string => readFileSync(new URL(`../fixtures/logs/${name}`, import.meta.url), 'utf8');
const recorded = (name: string): string =>
  readFileSync(new URL(`../../python-core/tests/fixtures/${name}`, import.meta.url), 'utf8');

const ENDED_WELL: JobEnd = { exitCode: 0, timedOut: false, setupFailed: false };
const FAILED: JobEnd = { ...ENDED_WELL, exitCode: 1 };
const block = (...lines: string[]): string => ['---', ...lines, ''].join('\n');

const UPSTREAM = {
  val_bpb: 1.013457,
  training_seconds: 300.1,
  total_seconds: 341.7,
  peak_vram_mb: 30127.4,
  mfu_percent: 31.87,
  total_tokens_M: 744.5,
  num_steps: 1420,
  num_params_M: 26.3,
  depth: 6,
};

describe('the summary of a run', () => {
  it("is read from upstream's log with its progress that overwrites itself", () => {
    const parsed = parseTrainingLog(log('gpu-done.log'));
    expect(parsed.metrics).toEqual(UPSTREAM);
    expect(parsed.facts).toEqual({});
    expect(parsed.modelConfig).toMatch(/^\{'sequence_len': 2048, .*'window_pattern': 'SL'\}$/);
    expect(parsed).toMatchObject({ saysFail: false, saysCrash: false });
  });

  it("is read through SkyPilot's colours and prefixes, up to the lines that the task adds", () => {
    expect(parseTrainingLog(log('skypilot-done.log'))).toMatchObject({
      metrics: UPSTREAM,
      facts: {},
      saysCrash: false,
      saysTimeout: false,
      saysSetupFailed: false,
    });
  });

  it('is read when SkyPilot has made lines, each with its prefix, of what overwrote itself', () => {
    const lines = log('gpu-done.log').split(/\r|\n/);
    const prefixed = lines.map((line) => `(worker1, rank=1, pid=77, ip=10.0.0.2) ${line}\n`).join('');
    expect(parseTrainingLog(prefixed).metrics).toEqual(UPSTREAM);
    const behindReturns = lines.map((line) => `(exp-0001, pid=77) ${line}`).join('\r');
    expect(parseTrainingLog(behindReturns).metrics).toEqual(UPSTREAM);
  });

  it('is read from a run recorded on this machine, with its extra metrics and facts', () => {
    const { metrics, facts, modelConfig } = parseTrainingLog(recorded('run.log'));
    expect(metrics).toMatchObject({ val_bpb: expect.any(Number), num_steps: expect.any(Number), seed: 42 });
    expect(facts).toMatchObject({ device: 'CPU', data: expect.stringMatching(/^python-/) });
    expect(modelConfig).toContain("'n_layer': 2");
    expect(crashOf(recorded('run.log'), 'val_bpb', ENDED_WELL)).toBeNull();
  });

  it('is the last of several blocks', () => {
    expect(parseTrainingLog(block('val_bpb: 2.0', 'extra: 1') + block('val_bpb: 1.5')).metrics).toEqual({
      val_bpb: 1.5,
    });
  });

  it('takes lines that end as on Windows, and spaces at their end', () => {
    expect(parseTrainingLog('---\r\nval_bpb:   1.5  \r\ndevice: A  B \r\n')).toMatchObject({
      metrics: { val_bpb: 1.5 },
      facts: { device: 'A  B' },
    });
  });

  it('may be lines METRIC name=value, anywhere, the last of a name', () => {
    expect(parseTrainingLog('METRIC acc=0.5\nwords\nMETRIC acc = 0.75\nMETRIC f1=9e-1\n').metrics).toEqual({
      acc: 0.75,
      f1: 0.9,
    });
  });

  it('is null, never 0, where nothing was printed', () => {
    expect(parseTrainingLog('hello\n')).toEqual({
      metrics: null,
      facts: {},
      modelConfig: null,
      saysFail: false,
      saysCrash: false,
      saysTimeout: false,
      saysSetupFailed: false,
    });
    expect(parseTrainingLog('').metrics).toBeNull();
  });

  it('keeps what is no finite number out of the metrics', () => {
    const { metrics, facts } = parseTrainingLog(
      block('a: nan', 'b: inf', 'c: 1e999', 'd: 1,234', 'e: 0x10', 'f: -1.5e-3'),
    );
    expect(metrics).toEqual({ f: -0.0015 });
    expect(facts).toEqual({ a: 'nan', b: 'inf', c: '1e999', d: '1,234', e: '0x10' });
  });

  it('forgets a number that a later nan takes back', () => {
    expect(parseTrainingLog('METRIC loss=0.5\nMETRIC loss=nan\n')).toMatchObject({
      metrics: null,
      facts: { loss: 'nan' },
    });
    expect(parseTrainingLog(`${block('val_bpb: nan')}METRIC val_bpb=1.25\n`)).toMatchObject({
      metrics: { val_bpb: 1.25 },
      facts: {},
    });
  });

  it('keeps facts short', () => {
    expect(parseTrainingLog(block(`note: ${'x'.repeat(10_000)}`)).facts['note']).toHaveLength(300);
  });
});

describe('why a run has no result', () => {
  const causeOf = (text: string, end: JobEnd = FAILED) => crashOf(text, 'val_bpb', end)?.cause ?? null;

  it('is not asked of one that printed the metric and ended well', () => {
    expect(causeOf(log('gpu-done.log'), ENDED_WELL)).toBeNull();
    expect(causeOf(log('skypilot-done.log'), ENDED_WELL)).toBeNull();
  });

  it('is nan for FAIL at the end of a progress line', () => {
    expect(parseTrainingLog(log('gpu-nan.log')).saysFail).toBe(true);
    expect(causeOf(log('gpu-nan.log'))).toBe('nan');
    expect(causeOf(recorded('fail.log'))).toBe('nan');
    expect(causeOf('nothing else\nFAIL\n')).toBe('nan');
    expect(parseTrainingLog('FAILED to connect, trying again\nFAILURE\n').saysFail).toBe(false);
  });

  it("is out_of_memory for a traceback that says so, with Python's line", () => {
    expect(crashOf(log('gpu-oom.log'), 'val_bpb', FAILED)).toMatchObject({
      cause: 'out_of_memory',
      message: expect.stringMatching(/^torch\.OutOfMemoryError: CUDA out of memory\. Tried to allocate 16\.00 GiB/),
    });
  });

  it('is timeout before all else, even where a block was printed', () => {
    expect(causeOf(log('gpu-done.log'), { ...ENDED_WELL, timedOut: true })).toBe('timeout');
  });

  it('is missing_command for the published task, which says crash and exits 0', () => {
    expect(parseTrainingLog(log('published-task-crash.log'))).toMatchObject({ saysCrash: true, metrics: null });
    expect(crashOf(log('published-task-crash.log'), 'val_bpb', ENDED_WELL)).toMatchObject({
      cause: 'missing_command',
      message: 'bash: line 3: uv: command not found',
    });
  });

  it('is not a file that was merely not there to be removed, when an exception ended the run', () => {
    const text = 'rm: cannot remove old.log: No such file or directory\nValueError: bad shape\n';
    expect(crashOf(text, 'val_bpb', FAILED)).toMatchObject({ cause: 'error', message: 'ValueError: bad shape' });
    expect(causeOf('ModuleNotFoundError: No module named torch\n')).toBe('missing_command');
    expect(causeOf('bash: trian.sh: No such file or directory\n', { ...FAILED, exitCode: 127 })).toBe(
      'missing_command',
    );
  });

  it('is metric_not_a_number for a metric that is nan, whatever else was a number', () => {
    expect(crashOf(block('val_bpb: nan', 'num_steps: 7'), 'val_bpb', ENDED_WELL)).toMatchObject({
      cause: 'metric_not_a_number',
      message: 'It printed val_bpb: nan',
    });
    expect(causeOf('METRIC val_bpb=1e999\n', ENDED_WELL)).toBe('metric_not_a_number');
  });

  it('is no_result when it ended well without the metric, and says what was missing', () => {
    expect(crashOf(block('accuracy: 0.5'), 'val_bpb', ENDED_WELL)).toMatchObject({
      cause: 'no_result',
      message: expect.stringContaining('"val_bpb: <number>"'),
    });
  });

  it('holds for a block that a run printed before it failed', () => {
    expect(crashOf(log('gpu-done.log'), 'val_bpb', { ...FAILED, exitCode: 3 })).toMatchObject({
      cause: 'error',
      message: 'It ended with exit code 3.',
    });
    expect(causeOf(log('gpu-done.log'), { ...ENDED_WELL, exitCode: null })).toBe('error');
    expect(causeOf(`${log('gpu-done.log')}EXPERIMENT_STATUS: crash\n`, ENDED_WELL)).not.toBeNull();
  });

  it('is the last exception, or what stands below the traceback of one that has another kind of name', () => {
    const traceback = 'Traceback (most recent call last):\n  File "t.py", line 1, in <module>\n    f()\n';
    expect(crashOf(`${traceback}AssertionError\n`, 'val_bpb', FAILED)?.message).toBe('AssertionError');
    expect(
      crashOf(`${traceback}torch._dynamo.exc.Unsupported: call_method\n\nfrom user code:\n`, 'val_bpb', FAILED),
    ).toMatchObject({
      cause: 'error',
      message: 'torch._dynamo.exc.Unsupported: call_method',
    });
  });

  it('is setup_failed when setup did, with its own error where it has one', () => {
    expect(crashOf('pip broke\n', 'val_bpb', { ...FAILED, setupFailed: true })).toMatchObject({
      cause: 'setup_failed',
      message: 'setup of the task failed.',
    });
  });
});

describe('the tail of a log', () => {
  it('thins progress to its last line, drops our own lines and stays short', () => {
    const tail = logTail(`AUTORESEARCH_SNAPSHOT n h\n${log('gpu-nan.log')}`).split('\n');
    expect(tail.filter((line) => line.startsWith('step'))).toEqual([expect.stringMatching(/^step 00001 .*FAIL$/)]);
    expect(tail.join()).not.toContain('AUTORESEARCH_');
    expect(logTail('x'.repeat(100_000)).length).toBeLessThan(500);
    expect(logTail(Array.from({ length: 99 }, (_, n) => `line ${n}`).join('\n')).split('\n')).toHaveLength(20);
  });
});

describe('the hash that a job reported', () => {
  const hash = 'c'.repeat(64);

  it('is the one behind the nonce of the job, through prefixes', () => {
    expect(reportedSnapshot(log('skypilot-done.log'), '5f0c9ae1b2d34455')).toBe('a'.repeat(64));
  });

  it('is the first of them: what the code prints comes after our wrapper', () => {
    expect(reportedSnapshot(`AUTORESEARCH_SNAPSHOT n1 ${hash}\nAUTORESEARCH_SNAPSHOT n1 forged\n`, 'n1')).toBe(hash);
  });

  it('is null for a line with another nonce, or inside another line', () => {
    expect(reportedSnapshot(`AUTORESEARCH_SNAPSHOT n2 ${hash}\nx AUTORESEARCH_SNAPSHOT n1 ${hash}\n`, 'n1')).toBeNull();
    expect(reportedSnapshot(`AUTORESEARCH_SNAPSHOT n11 ${hash}\n`, 'n1')).toBeNull();
  });
});

describe('a log that is made to be slow', () => {
  // Quadratic patterns would need minutes for these; the bound is generous for a busy machine.
  it.each([
    ['progress of many steps', '\rstep 00042 (12.3%) | loss: 3.141592 | remaining: 263s    '.repeat(200_000)],
    ['a line of spaces in the block', `---\nkey: ${' '.repeat(2_000_000)}x\n`],
    ['a value with spaces inside', `---\nkey: ${'a '.repeat(1_000_000)}\u0000x\n`],
    ['unfinished prefixes', `(${'pid=1, ip='.repeat(200_000)}`],
    ['unfinished colours', '\u001b[;'.repeat(700_000)],
    ['an error that never comes', 'a.'.repeat(1_000_000)],
  ])('takes linear time: %s', (_, text) => {
    const startedAt = performance.now();
    crashOf(text, 'val_bpb', FAILED);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('gives lines without colour codes', () => {
    expect(logLines('\u001b[1;31mred\u001b[0m\rnext')).toEqual(['red', 'next']);
  });
});
