import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ClusterName, type LaunchRequest } from '../../../src/ports/cluster-backend.js';
import { backendOn, IDENTITY, memoryFolder, recordedSky, request } from './recorded-sky.js';

async function base(): Promise<LaunchRequest> {
  const workdir = await memoryFolder();
  await mkdir(join(workdir, 'deep'));
  await writeFile(join(workdir, 'train.py'), 'X = 1\n');
  await writeFile(join(workdir, 'deep', 'run me.sh'), '#!/bin/sh\n', { mode: 0o755 });
  return { ...request, environment: { ...request.environment, workdir } };
}

const Task = z.looseObject({
  workdir: z.string(),
  file_mounts_mapping: z.record(z.string(), z.string()).optional(),
  run: z.string(),
});
const taskOf = (body: Record<string, unknown> | undefined) => Task.parse(parse(z.string().parse(body?.['task'])));

it('sends the base to a server elsewhere, under a name of its content, and launches from there', async () => {
  const sky = await recordedSky();
  await backendOn(sky, await memoryFolder(), { isLocal: false }).launch([await base()]);
  const [upload] = sky.uploads();
  const files = unzipSync(upload?.bytes ?? new Uint8Array());
  expect(Object.entries(files).map(([path, bytes]) => [path, strFromU8(bytes)])).toEqual([
    ['workdir/.skyignore', ''],
    ['workdir/deep/run me.sh', '#!/bin/sh\n'],
    ['workdir/train.py', 'X = 1\n'],
  ]);
  expect(upload?.url.searchParams.get('user_hash')).toBe(IDENTITY.SKYPILOT_USER_ID);
  const [body] = sky.bodies('/launch');
  expect(body?.['file_mounts_blob_id']).toBe(upload?.id);
  expect(taskOf(body)).toMatchObject({ workdir: '/workdir', file_mounts_mapping: { '/workdir': '/workdir' } });
});

it('makes executable again what the server unpacks without that bit', async () => {
  const sky = await recordedSky();
  await backendOn(sky, await memoryFolder(), { isLocal: false }).launch([await base()]);
  expect(taskOf(sky.bodies('/launch')[0]).run).toMatch(/^chmod \+x -- 'deep\/run me.sh'\n/);
});

it('sends equal folders once', async () => {
  const sky = await recordedSky();
  const backend = backendOn(sky, await memoryFolder(), { isLocal: false });
  await backend.launch([await base()]);
  await backend.launch([{ ...(await base()), cluster: ClusterName.parse('contract-second') }]);
  expect(sky.bodies('/launch')).toHaveLength(2);
  expect(sky.uploads()).toHaveLength(1);
});

it('lets a server on this machine read the base from the disk', async () => {
  const sky = await recordedSky();
  const wanted = await base();
  await backendOn(sky, await memoryFolder()).launch([wanted]);
  expect(sky.uploads()).toEqual([]);
  expect(taskOf(sky.bodies('/launch')[0]).workdir).toBe(wanted.environment.workdir);
});
