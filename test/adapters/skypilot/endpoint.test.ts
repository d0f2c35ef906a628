import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findEndpoint } from '../../../src/adapters/skypilot/endpoint.js';
import { findIdentity } from '../../../src/adapters/skypilot/identity.js';
import { createSkyApi } from '../../../src/adapters/skypilot/sky-api.js';
import { IDENTITY, memoryFolder, recordedSky } from './recorded-sky.js';

describe('the API server is found', () => {
  it('in the environment first, with its token', async () => {
    const environment = { SKYPILOT_API_SERVER_ENDPOINT: 'http://sky:1/', SKYPILOT_SERVICE_ACCOUNT_TOKEN: 'sky_t' };
    expect(await findEndpoint(environment, await memoryFolder())).toEqual({
      url: 'http://sky:1',
      token: 'sky_t',
      login: null,
      isLocal: false,
    });
  });

  it("in SkyPilot's own configuration next", async () => {
    const home = await memoryFolder();
    await mkdir(join(home, '.sky'));
    await writeFile(join(home, '.sky', 'config.yaml'), 'api_server:\n  endpoint: https://sky.example\n');
    expect(await findEndpoint({}, home)).toEqual({
      url: 'https://sky.example',
      token: null,
      login: null,
      isLocal: false,
    });
  });

  it('where a local one would be otherwise', async () => {
    expect(await findEndpoint({}, await memoryFolder())).toEqual({
      url: 'http://127.0.0.1:46580',
      token: null,
      login: null,
      isLocal: true,
    });
  });
});

it('takes a password out of the address, where fetch takes none, and sends it as basic authentication', async () => {
  const sky = await recordedSky();
  const environment = { SKYPILOT_API_SERVER_ENDPOINT: sky.url.replace('//', '//ada:p%40ss@') };
  const endpoint = await findEndpoint(environment, await memoryFolder());
  expect(endpoint).toMatchObject({ url: sky.url, login: 'ada:p@ss' });
  const api = createSkyApi(
    async () => endpoint,
    async () => IDENTITY,
  );
  await api.call('/status', {}, z.unknown());
  expect(sky.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ada:p@ss').toString('base64')}`);
});

describe('the API server is told', () => {
  it('which version its answers are read as, and the token where there is one', async () => {
    const sky = await recordedSky();
    await sky.api('sky_t').call('/status', {}, z.unknown());
    await sky.api().call('/status', {}, z.unknown());
    const [first, second] = sky.received.map(({ headers }) => headers);
    expect(first).toMatchObject({ 'x-skypilot-api-version': '62', authorization: 'Bearer sky_t' });
    expect(second).not.toHaveProperty('authorization');
  });

  it('nothing when it is too old', async () => {
    const sky = await recordedSky();
    sky.health({ api_version: '11', version: '0.10.0' });
    await expect(sky.api().call('/status', {}, z.unknown())).rejects.toThrow('0.11 or newer is needed');
    expect(sky.received).toEqual([]);
  });

  it('who asks, as the sky command of this machine would', async () => {
    const sky = await recordedSky();
    await sky.api().call('/status', {}, z.unknown());
    expect(sky.bodies('/status')).toEqual([{ env_vars: IDENTITY }]);
    const home = await memoryFolder();
    await mkdir(join(home, '.sky'));
    await writeFile(join(home, '.sky', 'user_hash'), 'fedcba98\n');
    expect(await findIdentity({ SKYPILOT_USER: 'ada' }, home)).toEqual({
      SKYPILOT_USER_ID: 'fedcba98',
      SKYPILOT_USER: 'ada',
    });
  });

  it('nothing when it is not there: the error says how to start one', async () => {
    const api = createSkyApi(
      async () => ({ url: 'http://127.0.0.1:9', token: null, login: null, isLocal: true }),
      async () => IDENTITY,
    );
    await expect(api.call('/status', {}, z.unknown())).rejects.toMatchObject({
      code: 'backend_down',
      hint: expect.stringContaining('sky api start'),
    });
  });
});
