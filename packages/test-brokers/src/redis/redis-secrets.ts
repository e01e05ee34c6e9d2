import { randomBytes } from 'node:crypto';
import type { RedisUser } from './ask.js';
import { ADMIN, type ResolvedRedisOptions } from './redis-options.js';

/** The user that the launcher logs in as; needed where users are given, since nobody gets in otherwise. */
export function adminFor({ users }: ResolvedRedisOptions): RedisUser | undefined {
  if (users.length === 0) return undefined;
  return { username: ADMIN, password: randomBytes(16).toString('hex') };
}
