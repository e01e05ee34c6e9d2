import { BusError, ConfigurationError } from '@omnibus/core/transport';
import { Cluster, type Redis } from 'ioredis';
import type { Commands } from './client.js';

/**
 * Makes sure that servers can tell what is on their disks. Throws `UNSUPPORTED` where they do not know the command, and a
 * `ConfigurationError` where they write nothing to a disk that could be waited for.
 */
export async function requireFsync(commands: Commands): Promise<void> {
  const servers = commands instanceof Cluster ? commands.nodes('master') : [commands];
  await Promise.all(servers.map(requireFsyncOf));
}

async function requireFsyncOf(server: Redis): Promise<void> {
  const [known] = (await server.call('command', 'info', 'waitaof')) as readonly unknown[];
  if (!known)
    throw new BusError(
      'UNSUPPORTED',
      'The server does not know WAITAOF, which durability.fsync needs: Redis 7.2 or newer, or Valkey. Leave fsync out, and set appendfsync always at the server for the same effect',
    );
  if (!/^aof_enabled:1/m.test(await server.info('persistence')))
    throw new ConfigurationError([
      {
        path: 'durability.fsync',
        message: 'waits for an append-only file that the server does not write: set appendonly yes there',
      },
    ]);
}
