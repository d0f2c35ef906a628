import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CampaignFile } from '../../src/domain/campaign.js';
import { experimentId, SnapshotHash, waveId } from '../../src/domain/ids.js';
import { openStore, type Store } from '../../src/store/store.js';
import { makeExperiment } from '../domain/make-experiment.js';

let folder: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autoresearch-test-'));
  state = join(folder, '.autoresearch');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (): Store => openStore(state, () => 77);
const newCampaign = (name: string) => (): CampaignFile => ({
  name,
  mark: 'abcdef',
  metric: { name: 'val_bpb', goal: 'minimize' },
  createdAt: 1,
  incumbent: null,
  fleet: [],
});
const createWave = (store: Store, campaign: string, size: number) =>
  store.createWave((ids) => {
    const experiments = Array.from({ length: size }, () =>
      makeExperiment(1, { id: ids.experiment(), waveId: ids.wave, campaign }),
    );
    return {
      wave: {
        id: ids.wave,
        campaign,
        description: '',
        kind: 'list',
        factors: {},
        base: SnapshotHash.parse('b'.repeat(64)),
        accelerators: [],
        createdAt: 1,
      },
      experiments: Object.fromEntries(experiments.map((experiment) => [experiment.id, experiment])),
    };
  });

describe('a store', () => {
  it('is empty, and makes nothing, before its first write', async () => {
    const store = open();
    expect(await store.waves()).toEqual([]);
    expect(await store.campaign('night')).toBeNull();
    expect(await store.readText(experimentId(1), 'log.txt')).toBeNull();
    expect(store.keptAside()).toEqual([]);
    expect(existsSync(state)).toBe(false);
  });

  it('is ignored by git through a file of its own', async () => {
    await createWave(open(), 'night', 1);
    expect(readFileSync(join(state, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('numbers experiments over all campaigns, and over servers', async () => {
    await createWave(open(), 'night', 2);
    await createWave(open(), 'day', 1);
    const wave = await createWave(open(), 'night', 1);
    expect(wave?.wave.id).toBe('wave-003');
    expect(Object.keys(wave?.experiments ?? {})).toEqual(['exp-0004']);
    expect((await open().waves()).map(({ wave: { id, campaign } }) => [id, campaign])).toEqual([
      ['wave-001', 'night'],
      ['wave-002', 'day'],
      ['wave-003', 'night'],
    ]);
  });

  it('gives no id twice when many ask at once', async () => {
    const stores = [open(), open()];
    const waves = await Promise.all(
      Array.from({ length: 10 }, (_, n) => createWave(stores[n % 2] ?? open(), 'night', 3)),
    );
    const ids = waves.flatMap((wave) => Object.keys(wave?.experiments ?? {}));
    expect(new Set(ids).size).toBe(30);
    expect(new Set(waves.map((wave) => wave?.wave.id)).size).toBe(10);
  });

  it('counts the experiments of a damaged wave too when it numbers the next', async () => {
    await createWave(open(), 'night', 2);
    writeFileSync(join(state, 'waves', 'wave-001.json'), '{');
    expect(Object.keys((await createWave(open(), 'night', 1))?.experiments ?? {})).toEqual(['exp-0003']);
    await open().updateWave(waveId(1), ({ wave }) => void Object.assign(wave, { description: 'mended' }));
    expect(open().keptAside()).toEqual(['wave-001.json.damaged-77']);
    expect((await open().waves())[0]?.wave.description).toBe('mended');
  });

  it('stores nothing when the wave is not made after all', async () => {
    const store = open();
    expect(await store.createWave(() => null)).toBeNull();
    const failing = store.createWave(() => {
      throw new Error('over budget');
    });
    await expect(failing).rejects.toThrow('over budget');
    expect(await store.waves()).toEqual([]);
  });

  it('shows a second one its writes at once', async () => {
    const [one, other] = [open(), open()];
    await one.updateCampaign('night', newCampaign('night'), () => undefined);
    expect((await other.campaign('night'))?.incumbent).toBeNull();
    await one.updateCampaign(
      'night',
      newCampaign('night'),
      (file) => void Object.assign(file, { incumbent: experimentId(3) }),
    );
    expect((await other.campaign('night'))?.incumbent).toBe('exp-0003');
  });

  it('says which wave there is not', async () => {
    await expect(open().updateWave(waveId(9), () => undefined)).rejects.toMatchObject({
      code: 'not_found',
      message: 'There is no wave wave-009.',
    });
    expect(readdirSync(join(state, 'waves'))).toEqual([]);
  });

  it('keeps texts of an experiment', async () => {
    await open().keepText(experimentId(3), 'log.txt', 'step 1\r');
    expect(await open().readText(experimentId(3), 'log.txt')).toBe('step 1\r');
    expect(await open().readText(experimentId(3), 'diff.patch')).toBeNull();
  });

  it('refuses a wave that is damaged beyond repair, names it, and leaves it as it is', async () => {
    await createWave(open(), 'night', 1);
    for (const name of ['wave-001.json', 'wave-001.journal.jsonl'])
      writeFileSync(join(state, 'waves', name), 'garbage\n');
    await expect(createWave(open(), 'night', 1)).rejects.toMatchObject({
      code: 'state_damaged',
      message: expect.stringContaining('wave-001.json'),
    });
    expect(readdirSync(join(state, 'waves')).sort()).toEqual(['wave-001.journal.jsonl', 'wave-001.json']);
  });
});

describe('a folder that cannot be written', () => {
  const refused = {
    code: 'invalid_project',
    message: expect.stringContaining('cannot be written'),
    hint: expect.stringMatching(/writable/),
  };

  it('because a file stands in its place is named', async () => {
    writeFileSync(state, 'not a folder');
    await expect(createWave(open(), 'night', 1)).rejects.toMatchObject(refused);
  });

  it('because a file stands in the place of a folder in it is named', async () => {
    mkdirSync(state);
    writeFileSync(join(state, 'waves'), '');
    await expect(createWave(open(), 'night', 1)).rejects.toMatchObject(refused);
  });
});

/** Real processes: a lock that only works inside one would pass every other test here. Needs the built server (dist). */
it('loses nothing of what two processes write at the same time, a hundred times each', async () => {
  await open().updateCampaign('night', newCampaign('night'), () => undefined);
  const child = () =>
    execa('node', [
      fileURLToPath(new URL('../fixtures/store-process.mjs', import.meta.url)),
      'write',
      state,
      '5',
      '100',
    ]);
  const [one, other] = await Promise.all([child(), child()]);
  expect((await open().campaign('night'))?.createdAt).toBe(201);
  const ids = [...JSON.parse(one.stdout), ...JSON.parse(other.stdout)];
  expect(new Set(ids).size).toBe(10);
  expect(await open().waves()).toHaveLength(10);
  rmSync(join(state, 'campaigns', 'night.json'));
  appendFileSync(join(state, 'campaigns', 'night.journal.jsonl'), '{"half');
  expect((await open().campaign('night'))?.createdAt).toBe(201);
});
