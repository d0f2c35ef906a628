import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';

/** Who asks, in the variables that SkyPilot's own clients send (sky/utils/common_utils.py of 0.14.1). */
export type Identity = Readonly<Record<'SKYPILOT_USER_ID' | 'SKYPILOT_USER', string>>;

const USER_HASH = /^[0-9a-f]{8}$/;

/**
 * The same user as `sky` on this machine is, so that `sky status` shows our clusters to the person; where `sky` never ran, one
 * made from user and machine. A server that knows who asks by their token goes by that instead.
 */
export async function findIdentity(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  home = homedir(),
): Promise<Identity> {
  const name = environment['SKYPILOT_USER'] ?? userInfo().username;
  const stored = (await readFile(join(home, '.sky', 'user_hash'), 'utf8').catch(() => '')).trim();
  const made = createHash('sha256').update(`${name}-${hostname()}`).digest('hex').slice(0, 8);
  const known = [environment['SKYPILOT_USER_ID'], stored].find((hash) => hash !== undefined && USER_HASH.test(hash));
  return { SKYPILOT_USER_ID: known ?? made, SKYPILOT_USER: name };
}
