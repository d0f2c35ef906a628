import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseTask, readProject } from '../../src/store/read-project.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'autoresearch-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const withSettings = (text: string) => {
  writeFileSync(join(folder, 'autoresearch.yaml'), text);
  return readProject(folder);
};

describe('a project', () => {
  it('needs no file: the defaults hold, and the campaign has the name of the folder', async () => {
    const directory = join(folder, 'My Research_Ä (2)');
    mkdirSync(directory);
    expect(await readProject(directory)).toMatchObject({
      directory,
      campaign: 'my-research-2',
      settings: { task: 'experiment.yaml' },
    });
    mkdirSync(join(folder, '日本'));
    expect((await readProject(join(folder, '日本'))).campaign).toBe('campaign');
  });

  it('may have an empty file, or one of comments', async () => {
    expect((await withSettings('')).settings.backend).toBe('local');
    expect((await withSettings('# nothing yet\n')).settings.editable).toEqual(['train.py']);
  });

  it('has the settings of its file', async () => {
    const { campaign, settings } = await withSettings(
      'campaign: night-1\ntiers: {screen: "L4:1"}\nlimits: {max_clusters: 2}\n',
    );
    expect(campaign).toBe('night-1');
    expect(settings).toMatchObject({
      tiers: { screen: ['L4:1'] },
      limits: { max_clusters: 2, job_timeout_minutes: 10 },
    });
  });

  it.each([
    ['broken YAML', 'campaign: [a', 'is no YAML'],
    ['an alias without its anchor', 'campaign: *name\n', 'is no YAML: Unresolved alias'],
    ['two documents', 'campaign: a\n---\ncampaign: b\n', 'multiple documents'],
    ['a list', '- a\n', 'expected object'],
    ['a field that there is not', 'metrics: {name: x}\n', '"metrics"'],
    ['a value of another type', 'idle_minutes: soon\n', 'idle_minutes'],
  ])('with %s in its file is refused with the place', async (_, text, words) => {
    await expect(withSettings(text)).rejects.toMatchObject({
      code: 'invalid_project',
      message: expect.stringContaining(words),
    });
    await expect(withSettings(text)).rejects.toMatchObject({
      message: expect.stringContaining(join(folder, 'autoresearch.yaml')),
    });
  });

  it('with a folder in the place of its file is refused', async () => {
    mkdirSync(join(folder, 'autoresearch.yaml'));
    await expect(readProject(folder)).rejects.toMatchObject({
      code: 'invalid_project',
      message: expect.stringContaining('cannot be read'),
    });
  });

  it('that is not there, or is a file, is named', async () => {
    writeFileSync(join(folder, 'file'), '');
    for (const name of ['absent', 'file'])
      await expect(readProject(join(folder, name))).rejects.toMatchObject({
        code: 'invalid_project',
        message: `The project folder ${join(folder, name)} does not exist.`,
      });
  });
});

describe('a task', () => {
  it("is read as SkyPilot's, fields that we do not use included", () => {
    const text =
      'name: x\nresources:\n  accelerators: {H100: 1, H200: 1}\nworkdir: .\nenvs: {A: 1, B: two, C: true}\nrun: |\n  python train.py\n';
    expect(parseTask(text, 'experiment.yaml')).toEqual({
      name: 'x',
      resources: { accelerators: ['H100:1', 'H200:1'] },
      workdir: '.',
      envs: { A: 1, B: 'two', C: true },
      run: 'python train.py\n',
    });
  });

  it.each([
    ['broken YAML', 'run: [', 'is no YAML'],
    ['nothing in it', '', 'expected object'],
    ['nothing to run', 'setup: pip list\n', 'run'],
    ['another workdir', 'run: x\nworkdir: ../code\n', 'workdir is ../code'],
    ['an env without a value', 'run: x\nenvs: {TOKEN: , A: 1}\n', 'envs without a value: TOKEN'],
    ['a setup that is a list', 'run: x\nsetup: [a]\n', 'setup'],
    ['accelerators that are a number', 'run: x\nresources: {accelerators: 8}\n', 'accelerators'],
  ])('with %s is refused by name', (_, text, words) => {
    expect(() => parseTask(text, 'experiment.yaml')).toThrow(
      expect.objectContaining({ code: 'invalid_project', message: expect.stringContaining(words) }),
    );
    expect(() => parseTask(text, 'experiment.yaml')).toThrow('experiment.yaml');
  });
});
