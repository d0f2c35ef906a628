import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Accelerators, ProjectFile, TaskFile } from '../../src/domain/project.js';

describe('autoresearch.yaml', () => {
  it('may be empty: the defaults fit karpathy/autoresearch', () => {
    expect(ProjectFile.parse({})).toMatchInlineSnapshot(`
      {
        "backend": "local",
        "delta_min": 0,
        "editable": [
          "train.py",
        ],
        "idle_minutes": 10,
        "infra": null,
        "limits": {
          "accelerators": {},
          "capacity_wait_minutes": 15,
          "end_hopeless": false,
          "job_timeout_minutes": 10,
          "max_clusters": 16,
          "max_cost_per_hour_usd": null,
          "max_cost_usd": null,
          "max_experiments": null,
          "target": null,
        },
        "local": {
          "slots": null,
        },
        "metric": {
          "goal": "minimize",
          "name": "val_bpb",
        },
        "noise_prior": null,
        "prices": {},
        "task": "experiment.yaml",
        "tiers": {
          "screen": [
            "H100:1",
          ],
          "validate": [
            "H200:1",
          ],
        },
      }
    `);
  });

  it('completes a metric of which one half is given', () => {
    expect(ProjectFile.parse({ metric: { goal: 'maximize' } }).metric).toEqual({ name: 'val_bpb', goal: 'maximize' });
    expect(ProjectFile.parse({ metric: { name: 'acc' } }).metric).toEqual({ name: 'acc', goal: 'minimize' });
  });

  it.each([
    [{ campaign: 'My Night' }, 'campaign', 'Expected lower-case letters'],
    [{ campaign: 7 }, 'campaign', 'expected string'],
    [{ metric: { goal: 'lower' } }, 'metric.goal', 'minimize'],
    [{ metric: { nmae: 'x' } }, 'metric', 'nmae'],
    [{ metric: 'val_bpb' }, 'metric', 'expected object'],
    [{ task: 3 }, 'task', 'expected string'],
    [{ editable: [] }, 'editable', '>=1'],
    [{ editable: 'train.py' }, 'editable', 'expected array'],
    [{ tiers: { screen: '' } }, 'tiers.screen', 'such as H100:1'],
    [{ tiers: { screen: 'H100:many' } }, 'tiers.screen', 'such as H100:1'],
    [{ limits: { max_clusters: 0 } }, 'limits.max_clusters', '>=1'],
    [{ limits: { max_cost: 5 } }, 'limits', 'max_cost'],
    [{ limits: { max_cost_usd: 0 } }, 'limits.max_cost_usd', '>0'],
    [{ limits: { max_cost_per_hour_usd: '$5' } }, 'limits.max_cost_per_hour_usd', 'expected number'],
    [{ limits: { accelerators: { H200: 0 } } }, 'limits.accelerators.H200', '>=1'],
    [{ limits: { accelerators: { 'H200:': 1 } } }, 'limits.accelerators', 'such as H100'],
    [{ prices: { H100: -2 } }, 'prices.H100', '>=0'],
    [{ prices: { H100: '2.00' } }, 'prices.H100', 'expected number'],
    [{ prices: { 'H100, H200': 2 } }, 'prices', 'such as H100'],
    [{ limits: { job_timeout_minutes: 0 } }, 'limits.job_timeout_minutes', '>0'],
    [{ idle_minutes: '10' }, 'idle_minutes', 'expected number'],
    [{ local: { slots: 1.5 } }, 'local.slots', 'int'],
    [{ locale: {} }, 'locale', 'Unrecognized key'],
  ])('refuses %j with words that name %s', (file, field, words) => {
    const result = ProjectFile.safeParse(file);
    const message = result.success ? '' : z.prettifyError(result.error);
    expect(message).toContain(field);
    expect(message).toContain(words);
  });
});

describe('accelerators', () => {
  it.each([
    ['H100', ['H100:1']],
    ['H100:8', ['H100:8']],
    ['H100:1, H200', ['H100:1', 'H200:1']],
    [{ H100: 1, H200: 2 }, ['H100:1', 'H200:2']],
    [{ H100: null, L4: null }, ['H100:1', 'L4:1']],
    [
      ['A100-80GB:4', 'V100:0.5'],
      ['A100-80GB:4', 'V100:0.5'],
    ],
  ])('spelled %j are %j', (spelling, list) => {
    expect(Accelerators.parse(spelling)).toEqual(list);
  });

  it.each(['', 'H100:', ':1', 'H100:1,', 'H100:x', 'two words'])('are not %j', (spelling) => {
    expect(Accelerators.safeParse(spelling).success).toBe(false);
  });
});

describe('a task', () => {
  it('is read where we use it, and kept as it is elsewhere', () => {
    const task = {
      run: 'python train.py',
      resources: { accelerators: 'H100', use_spot: true },
      num_nodes: 1,
      setup: null,
    };
    expect(TaskFile.parse(task)).toEqual({ ...task, resources: { accelerators: ['H100:1'], use_spot: true } });
  });

  it('needs something to run', () => {
    for (const run of [undefined, '', null]) expect(TaskFile.safeParse({ run }).success).toBe(false);
  });
});
