import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** Where SkyPilot's API server is, as SkyPilot's own clients find it (sky/server/common.py of 0.14.1). */
export interface Endpoint {
  readonly url: string;
  /** A service account's token; null: none is needed, as on loopback. */
  readonly token: string | null;
  /** `user:password` of the address, for a server behind basic authentication. */
  readonly login: string | null;
  /** On this machine, as SkyPilot's clients decide it: it reads workdirs from our disk, and could be started by us. */
  readonly isLocal: boolean;
}

const LOCAL_HOSTS = ['127.0.0.1', 'localhost', '0.0.0.0', '[::1]'];
const DEFAULT_URL = 'http://127.0.0.1:46580';

const Config = z.looseObject({
  api_server: z.looseObject({ endpoint: z.string().nullish(), service_account_token: z.string().nullish() }).nullish(),
});

/** The environment first, then `~/.sky/config.yaml`, then the port that a local server takes. */
export async function findEndpoint(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  home = homedir(),
): Promise<Endpoint> {
  const path = environment['SKYPILOT_GLOBAL_CONFIG'] ?? join(home, '.sky', 'config.yaml');
  const text = await readFile(path, 'utf8').catch(() => '');
  const config = Config.safeParse(parse(text) ?? {}).data?.api_server;
  const url = environment['SKYPILOT_API_SERVER_ENDPOINT'] ?? config?.endpoint ?? DEFAULT_URL;
  const { hostname, username, password } = new URL(url);
  return {
    isLocal: LOCAL_HOSTS.includes(hostname),
    // fetch takes no address with a password in it.
    url: url.replace(/\/\/[^/@]*@/, '//').replace(/\/+$/, ''),
    login: username === '' ? null : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
    token: environment['SKYPILOT_SERVICE_ACCOUNT_TOKEN'] ?? config?.service_account_token ?? null,
  };
}
