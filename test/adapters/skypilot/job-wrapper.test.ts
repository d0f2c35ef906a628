import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { jobScript, setupScript } from '../../../src/adapters/skypilot/job-wrapper.js';
import { memoryFolder, request, task } from './recorded-sky.js';

// Real processes: what bash, setsid and timeout leave behind is what the wrapper is for.

const FAMILY = `setsid bash -c 'trap "" TERM; MARK=$0; while :; do sleep 300; done' "$PWD" & sleep 0.3`;

const bash = (cwd: string, script: string) => execa('bash', ['-c', script], { cwd, reject: false, all: true });
const ready = (cwd: string, setup: string | null = null) =>
  bash(
    cwd,
    setupScript(
      { ...request.environment, setup, envs: { SHARED: 'shared', BOTH: "it's the environment's" } },
      [],
    ).replace(/^/, `export SHARED=shared BOTH="it's the environment's"\n`),
  );

/** Command lines of living processes that name this folder. */
const alive = (folder: string): string[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return ''; // it ended meanwhile
      }
    })
    .filter((line) => line.includes('MARK=') && line.includes(folder));

describe.skipIf(process.platform !== 'linux')('the wrapper around a job (needs /proc)', () => {
  it("gives it the environment's variables and its own, and tells its exit code", async () => {
    const folder = await memoryFolder();
    await ready(folder);
    const run = 'echo "$SHARED, $BOTH, $OWN"; exit 3';
    const { all, exitCode } = await bash(
      folder,
      jobScript(task('one', { run, envs: { OWN: 'own', BOTH: "the task's" } })),
    );
    expect(all.split('\n')).toEqual(["shared, the task's, own", '', 'AUTORESEARCH_EXIT 3']);
    expect(exitCode).toBe(3);
  });

  it('runs nothing after a setup that failed, and quotes it', async () => {
    const folder = await memoryFolder();
    expect((await ready(folder, 'echo no such wheel; exit 5')).exitCode).toBe(5);
    const { all } = await bash(folder, jobScript(task('one', { run: 'echo ran' })));
    expect(all.split('\n')).toEqual(['no such wheel', 'AUTORESEARCH_SETUP_FAILED', 'AUTORESEARCH_EXIT 96']);
  });

  it('leaves nothing that it started, not even in a session of its own', async () => {
    const folder = await memoryFolder();
    await ready(folder);
    await bash(folder, jobScript(task('one', { run: FAMILY })));
    expect(alive(folder)).toEqual([]);
  });

  it('ends it when its time is over, and says so', async () => {
    const folder = await memoryFolder();
    await ready(folder);
    const { all } = await bash(folder, jobScript(task('one', { run: `${FAMILY}; sleep 30`, timeoutSeconds: 1 })));
    expect(all).toContain('AUTORESEARCH_TIMEOUT\n\nAUTORESEARCH_EXIT 124');
    expect(alive(folder)).toEqual([]);
  });

  it('is outlived by nothing when it is killed itself', async () => {
    const folder = await memoryFolder();
    await ready(folder);
    const job = bash(folder, jobScript(task('one', { run: `${FAMILY}; sleep 5` })));
    while (alive(folder).length === 0) await sleep(50);
    job.kill('SIGKILL');
    for (let tries = 0; alive(folder).length > 0 && tries < 100; tries += 1) await sleep(50);
    expect(alive(folder)).toEqual([]);
    await job;
  });
});
