import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findEndpoint } from '../../../src/adapters/skypilot/endpoint.js';
import { createSkyApi } from '../../../src/adapters/skypilot/sky-api.js';
import { memoryFolder, recordedSky } from './recorded-sky.js';

describe('the API server is found', () => {
  it('in the environment first, with its token', async () => {
    const environment = { SKYPILOT_API_SERVER_ENDPOINT: 'http://sky:1/', SKYPILOT_SERVICE_ACCOUNT_TOKEN: 'sky_t' };
    expect(await findEndpoint(environment, await memoryFolder())).toEqual({ url: 'http://sky:1', token: 'sky_t' });
  });

  it("in SkyPilot's own configuration next", async () => {
    const home = await memoryFolder();
    await mkdir(join(home, '.sky'));
    await writeFile(join(home, '.sky', 'config.yaml'), 'api_server:\n  endpoint: https://sky.example\n');
    expect(await findEndpoint({}, home)).toEqual({ url: 'https://sky.example', token: null });
  });

  it('where a local one would be otherwise', async () => {
    expect(await findEndpoint({}, await memoryFolder())).toEqual({ url: 'http://127.0.0.1:46580', token: null });
  });
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

  it('nothing when it is not there: the error says how to start one', async () => {
    const api = createSkyApi(async () => ({ url: 'http://127.0.0.1:9', token: null }));
    await expect(api.call('/status', {}, z.unknown())).rejects.toMatchObject({
      code: 'backend_failed',
      hint: expect.stringContaining('sky api start'),
    });
  });
});
