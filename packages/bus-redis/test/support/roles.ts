import { RolePlay } from '@omnibus/conformance-tests';
import type { RunningRedis } from '@omnibus/test-brokers';
import { documentedCommands } from '../../../../scripts/lib/documented-commands.cjs';
import {
  listGroups,
  RedisEventBus,
  type RedisEventBusOptions,
  removeConsumer,
  removeGroup,
} from '../../src/index.js';

/** Who the document has rights for. */
export type User = 'publisher' | 'billing' | 'operator';

/** Sends what `redis-cli` would, as an administrator. */
export function cli(redis: RunningRedis, ...words: readonly string[]): Promise<string> {
  return redis.administer(['redis-cli', ...words]);
}

/** Makes the server what the document makes it: with these users, and no event yet. */
export async function prepare(redis: RunningRedis): Promise<void> {
  await cli(redis, 'FLUSHALL');
  for (const block of ['partitions', 'publisher', 'consumer', 'operator'])
    for (const command of documentedCommands(`redis ${block}`)) await redis.administer(command);
}

/** The users of the document. */
export function rolesOn(redis: RunningRedis): RolePlay {
  return new RolePlay((user, options) => new RedisEventBus({ ...optionsOf(redis, user), ...options }));
}

/** Looks at the groups, and removes one that nobody needs. */
export async function removeOldGroup(redis: RunningRedis): Promise<void> {
  const options = { ...optionsOf(redis, 'operator'), group: 'billing' };
  await removeConsumer(options, 'billing', 'released');
  expect((await listGroups(options)).map(({ name }) => name)).toContain('old');
  expect(await removeGroup(options, 'old')).toBe(true);
}

function optionsOf({ tls }: RunningRedis, username: string): RedisEventBusOptions {
  if (!tls) throw new Error('no TLS');
  return {
    url: tls.url,
    partitions: 8,
    leaseMs: 1_000,
    heartbeatIntervalMs: 100,
    security: { tls: { ca: tls.ca }, credentials: { username, password: `${username}-secret` } },
  };
}
