import { expect, it } from 'vitest';
import { callTool, connectClient } from '../support/client.js';
import { createTestLab } from '../support/test-lab.js';

async function finishedWave() {
  const { lab } = await createTestLab();
  const client = await connectClient(async () => lab);
  await callTool(client, 'launch_wave', {
    experiments: [{ description: 'a\tdeeper model', overrides: { DEPTH: 12 } }],
  });
  await lab.sleep(400_000);
  const read = async (uri: string) => {
    const { contents } = await client.readResource({ uri });
    const [content] = contents;
    return content && 'text' in content ? content.text : undefined;
  };
  return { client, read };
}

it('lists the campaign, its tables, and a template for each experiment', async () => {
  const { client } = await finishedWave();
  expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual([
    'autoresearch://campaign',
    'autoresearch://leaderboard',
    'autoresearch://results.tsv',
    'autoresearch://findings',
  ]);
  expect((await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
    'autoresearch://experiments/{id}',
    'autoresearch://experiments/{id}/log',
    'autoresearch://experiments/{id}/diff',
  ]);
});

it('reads results.tsv in SkyPilot’s column order, one line an experiment', async () => {
  const { read } = await finishedWave();
  expect(await read('autoresearch://results.tsv')).toBe(
    'experiment_id\tstatus\tval_bpb\tmemory_gb\tdescription\n' +
      'exp-0001\tkeep\t1.000000\t44.0\tbaseline: the unchanged base\n' +
      'exp-0002\tdiscard\t1.000000\t44.0\ta deeper model\n',
  );
});

it('reads an experiment, its log and its diff', async () => {
  const { read } = await finishedWave();
  expect(JSON.parse((await read('autoresearch://experiments/exp-0002')) ?? '')).toMatchObject({
    id: 'exp-0002',
    state: 'done',
    accelerators: 'H100:1',
    modelConfig: "{'n_layer': 8}",
  });
  expect(await read('autoresearch://experiments/exp-0002/log')).toContain('num_steps:        953');
  expect(await read('autoresearch://experiments/exp-0002/diff')).toContain('+DEPTH = 12  # layers');
});

it('reads the campaign and the leaderboard as JSON', async () => {
  const { read } = await finishedWave();
  expect(JSON.parse((await read('autoresearch://campaign')) ?? '')).toMatchObject({ waves: 1, counts: { done: 2 } });
  expect(JSON.parse((await read('autoresearch://leaderboard')) ?? '')).toMatchObject([
    { experiment_id: 'exp-0001', metrics: { num_steps: 953 } },
    { experiment_id: 'exp-0002', delta: 0 },
  ]);
});

it('answers an address that leads nowhere with those that lead somewhere', async () => {
  const { read } = await finishedWave();
  await expect(read('autoresearch://leaders')).rejects.toThrow('autoresearch://leaderboard');
  await expect(read('autoresearch://experiments/exp-0099')).rejects.toThrow('Its last experiment is exp-0002');
  await expect(read('autoresearch://experiments/../../x')).rejects.toThrow('There is no resource');
});

it('offers prompts that name the tools to call, with the arguments worked in', async () => {
  const { client } = await finishedWave();
  expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual([
    'start_campaign',
    'next_wave',
    'write_report',
  ]);
  const { messages } = await client.getPrompt({ name: 'next_wave', arguments: { idea: 'wider layers' } });
  expect(JSON.stringify(messages)).toContain('in this direction: wider layers');
  await expect(client.getPrompt({ name: 'nextwave' })).rejects.toThrow(
    'There are: start_campaign, next_wave, write_report',
  );
});
