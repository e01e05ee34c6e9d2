import { randomBytes } from 'node:crypto';
import { LOOPBACK } from '../ports.js';
import { makeTlsFiles, type TlsFiles } from '../tls-files.js';
import type { RedisUser } from './ask.js';
import { ADMIN, type ResolvedRedisOptions } from './redis-options.js';

/** What is made for one Redis and kept from others. */
export interface MadeSecrets {
  /** Logs in where users are given, since nobody gets in otherwise. */
  readonly admin: RedisUser | undefined;
  /** Present when TLS was asked for. */
  readonly tls: TlsFiles | undefined;
}

/**
 * Makes the password of the launcher and the TLS files.
 *
 * @param folder where the files are to be
 * @param host by which nodes are reached, beside this machine's own names
 */
export async function makeSecrets(
  { users, tls }: ResolvedRedisOptions,
  folder: string,
  host: string = LOOPBACK,
): Promise<MadeSecrets> {
  const admin = { username: ADMIN, password: randomBytes(16).toString('hex') };
  const hosts = [LOOPBACK, 'localhost', host];
  return {
    admin: users.length === 0 ? undefined : admin,
    tls: tls === false ? undefined : await makeTlsFiles(folder, hosts, users[0]?.username ?? 'client'),
  };
}
