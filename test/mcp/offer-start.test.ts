import { expect, it } from 'vitest';
import { AutoresearchError } from '../../src/domain/errors.js';
import { readExperiments } from '../../src/lab/lab.js';
import { callTool, connectClient, type Person } from '../support/client.js';
import { createTestLab } from '../support/test-lab.js';

const HOUR_MS = 3_600_000;

/** A backend that is down until its starter has run, and a person who answers `says` and remembers what was asked. */
async function stoppedLab({ says, canStart = true }: { says: ReturnType<Person>; canStart?: boolean }) {
  let isDown = true;
  const asked: string[] = [];
  const seen = { started: 0 };
  const { lab } = await createTestLab({
    clusters: 3,
    before() {
      if (isDown) {
        throw new AutoresearchError(
          'backend_down',
          'The API server does not answer.',
          'Start it with `sky api start`.',
        );
      }
    },
    ...(canStart
      ? {
          starter: async () => ({
            command: 'sky api start',
            run: async () => {
              seen.started++;
              isDown = false;
            },
          }),
        }
      : {}),
  });
  const person: Person = (question) => {
    asked.push(question);
    return says;
  };
  const stop = () => {
    isDown = true;
  };
  return { lab, asked, seen, person, stop };
}

const OFFERS: [string, Record<string, unknown>] = ['list_clusters_by_gpu', { include_offers: true }];
const WAVE: [string, Record<string, unknown>] = [
  'launch_wave',
  { experiments: [{ description: 'faster', overrides: { LEARNING_RATE: 0.1 } }] },
];
const DOWN = { error: 'backend_down: The API server does not answer. Start it with `sky api start`.' };

it('asks the person once whether to start what is down, starts it on a yes, and answers the call', async () => {
  const { lab, asked, seen, person } = await stoppedLab({ says: 'accept' });
  const client = await connectClient(async () => lab, person);
  expect(await callTool(client, ...OFFERS)).toMatchInlineSnapshot(`
    {
      "structured": {
        "accelerators": {},
        "offers": [
          {
            "accelerators": "H100:1",
            "free": 3,
          },
        ],
        "room": 16,
      },
      "text": "No clusters are up. launch_wave launches what it needs.",
    }
  `);
  expect(await callTool(client, ...OFFERS)).not.toHaveProperty('error');
  expect(asked).toEqual(['The API server does not answer. Start it now with `sky api start`?']);
  expect(seen.started).toBe(1);
});

it('launches a wave once that found the backend down and had it started', async () => {
  const { lab, person, seen } = await stoppedLab({ says: 'accept' });
  const client = await connectClient(async () => lab, person);
  expect(await callTool(client, ...WAVE)).toMatchInlineSnapshot(`
    {
      "structured": {
        "clusters": [
          "gpu-01",
          "gpu-02",
        ],
        "experiment_ids": [
          "exp-0001",
          "exp-0002",
        ],
        "notes": [
          "exp-0001 is the unchanged base.",
        ],
        "wave_id": "wave-001",
      },
      "text": "wave-001: 2 experiments (exp-0001, exp-0002) on gpu-01, gpu-02. exp-0001 is the unchanged base.",
    }
  `);
  expect((await readExperiments(lab)).map(({ id, state }) => `${id} ${state}`)).toEqual([
    'exp-0001 queued',
    'exp-0002 queued',
  ]);
  expect(seen.started).toBe(1);
});

it.each(['decline', 'cancel'] as const)(
  'answers with the error and its hint on a %s, and asks again only after an hour',
  async (says) => {
    const { lab, asked, seen, person } = await stoppedLab({ says });
    const client = await connectClient(async () => lab, person);
    expect(await callTool(client, ...OFFERS)).toEqual(DOWN);
    await lab.sleep(HOUR_MS - 1_000);
    expect(await callTool(client, ...WAVE)).toEqual(DOWN);
    expect(asked).toHaveLength(1);
    await lab.sleep(2_000);
    expect(await callTool(client, ...OFFERS)).toEqual(DOWN);
    expect(asked).toHaveLength(2);
    expect(seen.started).toBe(0);
    expect(await readExperiments(lab)).toEqual([]);
  },
);

it('asks again at once when what was started on a yes is down again', async () => {
  const { lab, asked, seen, person, stop } = await stoppedLab({ says: 'accept' });
  const client = await connectClient(async () => lab, person);
  await callTool(client, ...OFFERS);
  stop();
  expect(await callTool(client, ...OFFERS)).not.toHaveProperty('error');
  expect([asked.length, seen.started]).toEqual([2, 2]);
});

it('starts nothing unasked: a client that cannot ask gets the error with its hint', async () => {
  const { lab, seen } = await stoppedLab({ says: 'accept' });
  const client = await connectClient(async () => lab);
  expect(await callTool(client, ...OFFERS)).toEqual(DOWN);
  expect(seen.started).toBe(0);
});

it('asks nobody about a backend that cannot be started from here', async () => {
  const { lab, asked, person } = await stoppedLab({ says: 'accept', canStart: false });
  const client = await connectClient(async () => lab, person);
  expect(await callTool(client, ...OFFERS)).toEqual(DOWN);
  expect(asked).toEqual([]);
});

it('asks nobody about a call that failed for another reason', async () => {
  const { lab, asked, person, seen } = await stoppedLab({ says: 'accept' });
  const client = await connectClient(async () => lab, person);
  expect(await callTool(client, 'fetch_result', { experiment_ids: ['exp-0009'] })).toMatchObject({
    error: expect.stringContaining('not_found'),
  });
  expect([asked, seen.started]).toEqual([[], 0]);
});

it('answers with what the start failed with', async () => {
  const { lab } = await createTestLab({
    before() {
      throw new AutoresearchError('backend_down', 'The API server does not answer.', 'Start it.');
    },
    starter: async () => ({
      command: 'sky api start',
      run: async () => {
        throw new AutoresearchError('backend_down', 'sky api start ended with 1.', 'See its log.');
      },
    }),
  });
  const client = await connectClient(
    async () => lab,
    () => 'accept',
  );
  expect(await callTool(client, ...OFFERS)).toEqual({
    error: 'backend_down: sky api start ended with 1. See its log.',
  });
});
