import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AutoresearchError } from '../../src/domain/errors.js';
import { readExperiments } from '../../src/lab/lab.js';
import { callTool, connectClient } from '../support/client.js';
import { summaryBlock, wrapperLine } from '../support/simulated-backend.js';
import { createTestLab, temporaryProject } from '../support/test-lab.js';

async function client(files: Record<string, string> = {}) {
  const { lab, directory } = await createTestLab({ files });
  return { call: callTool.bind(null, await connectClient(async () => lab)), lab, directory };
}

const one = (more: object) => ({ experiments: [{ description: 'try', ...more }] });

it('answers an unknown argument with those there are, the nearest first, wherever it stands', async () => {
  const { call } = await client();
  expect(await call('fetch_result', { waveid: 'wave-001' })).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: fetch_result takes no waveid. It takes: wave_id, detail, wait_seconds, experiment_ids.",
    }
  `);
  expect(await call('launch_wave', one({ overide: {} }))).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: launch_wave, experiments.0 takes no overide. It takes: overrides, edits, workdir, description, replicate_of.",
    }
  `);
  expect(await call('launch_wave', { design: { factors: { A: [1, 2] }, level: 3 } })).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: launch_wave, design takes no level. It takes: size, kind, factors.",
    }
  `);
});

it('says in words what an id or a number should have been', async () => {
  const { call } = await client();
  expect(await call('fetch_result', { wave_id: '3', wait_seconds: 500 })).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: wave_id: Expected a wave id such as wave-003. wait_seconds: Too big: expected number to be <=50.",
    }
  `);
  expect(await call('queue_on_cluster', { cluster: 'gpu-one', experiments: [] })).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: cluster: Expected a cluster such as gpu-01. experiments: Too small: expected array to have >=1 items.",
    }
  `);
});

it('answers an unknown tool with the nearest', async () => {
  const { call } = await client();
  expect(await call('launch_waves', {})).toMatchInlineSnapshot(`
    {
      "error": "not_found: There is no tool launch_waves. There are: launch_wave, design_wave, launch_experiment, fetch_result, campaign_status, promote, teardown, analyze_results, queue_on_cluster, cancel_experiments, record_decision, record_finding, query_experiments, list_clusters_by_gpu.",
    }
  `);
});

it('takes an object that came as a JSON string', async () => {
  const { call, lab } = await client();
  await call('launch_wave', { experiments: JSON.stringify([{ description: 'try', overrides: '{"DEPTH": 4}' }]) });
  expect((await readExperiments(lab)).map(({ overrides }) => overrides)).toEqual([{}, { DEPTH: 4 }]);
});

it('refuses an unknown constant, an edit that matches never or often, and a file that is not editable', async () => {
  const { call, lab } = await client({ 'prepare.py': 'N = 1\n' });
  expect(await call('launch_wave', one({ overrides: { LEARNING_RAT: 1 } }))).toMatchInlineSnapshot(`
    {
      "error": "invalid_code: "try": train.py has no top-level constant LEARNING_RAT. Constants, the nearest first: LEARNING_RATE, BETAS, DEPTH. Nothing was launched.",
    }
  `);
  expect(
    await call('launch_wave', one({ edits: [{ file: 'train.py', find: 'nowhere', replace: '' }] })),
  ).toMatchInlineSnapshot(`
    {
      "error": "invalid_code: "try": The edit of train.py matches nothing: "nowhere". Give "find" exactly as it stands in the file, spaces and line breaks included. Nothing was launched.",
    }
  `);
  expect(
    await call('launch_wave', one({ edits: [{ file: 'train.py', find: '8', replace: '9' }] })),
  ).toMatchInlineSnapshot(`
    {
      "error": "invalid_code: "try": The edit of train.py matches 2 times, in lines 2, 3: "8". Lengthen "find" until it stands there once. Nothing was launched.",
    }
  `);
  expect(
    await call('launch_wave', one({ edits: [{ file: 'prepare.py', find: 'N', replace: 'M' }] })),
  ).toMatchInlineSnapshot(`
    {
      "error": "invalid_code: "try": prepare.py must not be changed. Editable: train.py (autoresearch.yaml: editable). Nothing was launched.",
    }
  `);
  expect(
    await call('launch_wave', one({ edits: [{ file: '../x.py', find: 'N', replace: 'M' }] })),
  ).toMatchInlineSnapshot(`
    {
      "error": "invalid_code: "try": ../x.py is no editable file of the project. Editable: train.py (autoresearch.yaml: editable). Nothing was launched.",
    }
  `);
  expect(await readExperiments(lab)).toEqual([]);
});

it('has Python itself refuse what does not compile, before anything is launched', async () => {
  const { call, lab } = await client();
  expect(
    await call('launch_wave', one({ edits: [{ file: 'train.py', find: 'DEPTH = 8', replace: 'DEPTH = = 8' }] })),
  ).toMatchInlineSnapshot(`
    {
      "error": "invalid_code: Python says: train.py, line 2: invalid syntax: DEPTH = = 8  # layers. Mend the code and call again. Nothing was launched.",
    }
  `);
  expect(await readExperiments(lab)).toEqual([]);
});

it('takes a folder that the agent edited, inside the project only, and nothing but editable files from it', async () => {
  const { call, lab, directory } = await client({ 'prepare.py': 'N = 1\n' });
  const folder = join(directory, '.autoresearch', 'workdirs', 'a');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'train.py'), 'LEARNING_RATE = 0.5\n');
  expect(await call('launch_experiment', { description: 'a', workdir: '.autoresearch/workdirs/a' })).toMatchObject({
    structured: { wave_id: 'wave-001' },
  });
  writeFileSync(join(folder, 'prepare.py'), 'N = 2\n');
  expect(
    await call('launch_experiment', { description: 'a', workdir: '.autoresearch/workdirs/a' }),
  ).toMatchInlineSnapshot(`
    {
      "error": "invalid_code: prepare.py must not be changed. Editable: train.py (autoresearch.yaml: editable). Nothing was launched.",
    }
  `);
  expect((await call('launch_experiment', { description: 'a', workdir: '/tmp' })).error).toContain(
    'is not inside the project',
  );
  expect(await call('launch_experiment', { description: 'a', workdir: 'none' })).toMatchInlineSnapshot(`
    {
      "error": "invalid_code: workdir none is no folder. Give a folder inside the project. Nothing was launched.",
    }
  `);
  expect(await readExperiments(lab)).toHaveLength(1);
});

it('tells a wave that is neither a list nor a design, or a design without levels, what it should be', async () => {
  const { call } = await client();
  expect(await call('launch_wave', {})).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: A wave is a list or a design. Give either experiments or design.",
    }
  `);
  expect(await call('launch_wave', { experiments: [] })).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: experiments is empty. Give at least one: {"description": "…"}.",
    }
  `);
  expect(await call('launch_wave', { design: { factors: { DEPTH: [4] } } })).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: Factors need two levels or more: DEPTH. E.g. {"MATRIX_LR": [0.03, 0.05]}.",
    }
  `);
  expect(await call('launch_wave', { design: { factors: { DEPTH: 'deep' } } })).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: design.factors.DEPTH: Expected a list of levels, {"low": …, "high": …, "scale": "linear" or "log"}, or {"levels": {"LABEL": {"overrides": {…}, "edits": […]}}}.",
    }
  `);
});

it('answers a tier that the project does not have with those it has', async () => {
  const { call } = await client();
  expect(await call('launch_wave', { ...one({ overrides: { DEPTH: 4 } }), tier: 'scren' })).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: There is no tier scren. Tiers of autoresearch.yaml: screen, validate.",
    }
  `);
});

it('answers for clusters and experiments that are not there, or not ours', async () => {
  const { call } = await client();
  expect(await call('teardown', { clusters: ['gpu-07'] })).toMatchInlineSnapshot(`
    {
      "error": "not_ours: gpu-07 is no cluster of campaign test. It has none now: launch_wave launches what it needs.",
    }
  `);
  expect(await call('teardown', {})).toMatchInlineSnapshot(`
    {
      "error": "invalid_input: Nothing says which clusters. Give clusters, idle_only or all.",
    }
  `);
  expect(await call('fetch_result', { wave_id: 'wave-009' })).toMatchInlineSnapshot(`
    {
      "error": "not_found: This campaign has no wave-009. It has no waves yet: call launch_wave.",
    }
  `);
  expect(await call('cancel_experiments', { experiment_ids: ['exp-0009'] })).toMatchInlineSnapshot(`
    {
      "error": "not_found: This campaign has no exp-0009. It has no experiments yet: call launch_wave.",
    }
  `);
});

it('shows each way to fail with its cause and no metric: NaN, memory, a metric that is no number, no block, a hang', async () => {
  const logs = [
    [summaryBlock(1), 0],
    ['step 00007 (1%) | loss: nan FAIL\n', 1],
    ['Traceback\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n', 1],
    [summaryBlock('nan'), 0],
    ['done\n', 0],
    ['python: command not found\n', 127],
    ['Traceback\nValueError: no good\n', 1],
  ] as const;
  const { lab } = await createTestLab({
    run: (task) => {
      const [log, exitCode] = logs[Number(task.name.slice(4)) - 1] ?? ['', 1];
      return { seconds: 5, log: wrapperLine(task) + log, exitCode };
    },
  });
  const connected = await connectClient(async () => lab);
  await callTool(connected, 'launch_wave', {
    experiments: logs.slice(1).map((_, i) => ({ description: `try ${i}`, overrides: { DEPTH: 100 + i } })),
  });
  await lab.sleep(60_000);
  expect(await callTool(connected, 'fetch_result', { wave_id: 'wave-001' })).toMatchInlineSnapshot(`
    {
      "structured": {
        "ended": 7,
        "experiments": [
          {
            "description": "baseline: the unchanged base",
            "experiment_id": "exp-0001",
            "metrics": {
              "val_bpb": 1,
            },
            "state": "done",
            "verdict": null,
          },
          {
            "crash": {
              "cause": "nan",
              "message": "The loss became NaN or exploded: train.py printed FAIL.",
              "tail": "step 00007 (1%) | loss: nan FAIL",
            },
            "description": "try 0",
            "experiment_id": "exp-0002",
            "metrics": null,
            "state": "crashed",
            "verdict": null,
          },
          {
            "crash": {
              "cause": "out_of_memory",
              "message": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
              "tail": "Traceback
    torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
            },
            "description": "try 1",
            "experiment_id": "exp-0003",
            "metrics": null,
            "state": "crashed",
            "verdict": null,
          },
          {
            "crash": {
              "cause": "metric_not_a_number",
              "message": "It printed val_bpb: nan",
              "tail": "num_steps:        953
    num_params_M:     50.3
    depth:            8",
            },
            "description": "try 2",
            "experiment_id": "exp-0004",
            "metrics": null,
            "state": "crashed",
            "verdict": null,
          },
          {
            "crash": {
              "cause": "no_result",
              "message": "It ended well but printed no "val_bpb: <number>" behind a line "---".",
              "tail": "done",
            },
            "description": "try 3",
            "experiment_id": "exp-0005",
            "metrics": null,
            "state": "crashed",
            "verdict": null,
          },
          {
            "crash": {
              "cause": "missing_command",
              "message": "python: command not found",
              "tail": "python: command not found",
            },
            "description": "try 4",
            "experiment_id": "exp-0006",
            "metrics": null,
            "state": "crashed",
            "verdict": null,
          },
          {
            "crash": {
              "cause": "error",
              "message": "ValueError: no good",
              "tail": "Traceback
    ValueError: no good",
            },
            "description": "try 5",
            "experiment_id": "exp-0007",
            "metrics": null,
            "state": "crashed",
            "verdict": null,
          },
        ],
        "total": 7,
      },
      "text": "1 with a result, 6 without. Best val_bpb: exp-0001 1.000000.",
    }
  `);
});

it('answers every call with what is wrong with the project, and goes on once it is mended', async () => {
  const directory = temporaryProject();
  const { lab } = await createTestLab();
  let isBroken = true;
  const connected = await connectClient(async () => {
    if (isBroken) throw new AutoresearchError('invalid_project', `${directory}/autoresearch.yaml: no.`, 'Mend it.');
    return lab;
  });
  expect((await callTool(connected, 'campaign_status', {})).error).toContain('invalid_project');
  await expect(connected.readResource({ uri: 'autoresearch://campaign' })).rejects.toThrow('invalid_project');
  isBroken = false;
  expect((await callTool(connected, 'campaign_status', {})).text).toContain('no result yet');
});

it('names the missing task of a project without experiment.yaml', async () => {
  const { call, directory } = await client();
  rmSync(join(directory, 'experiment.yaml'));
  expect((await call('launch_experiment', { description: 'a' })).error).toContain('has no experiment.yaml');
});
