import { TestBrokerError } from '../errors.js';
import { runCommand } from '../run-command.js';
import { installRedis, PROGRAMS_IN_PATH, type RedisProgram } from './install-redis.js';
import type { RedisServerName, ResolvedRedisOptions } from './redis-options.js';

/** A program that runs as a Redis server. */
export interface RedisServer {
  readonly command: string;
  /** The name it is to be called by. */
  readonly argv0: string;
  /** `Redis` or `Valkey`. */
  readonly product: string;
  readonly version: string;
}

/**
 * Finds the server that is asked for, in the path first; installs one where that is possible. `TOOL_MISSING`
 * names what to install otherwise.
 */
export async function requireRedisServer(options: ResolvedRedisOptions): Promise<RedisServer> {
  const { binary, server, report } = options;
  if (binary !== undefined) return givenBinary(binary, server);
  const found = await findServer(PROGRAMS_IN_PATH, server);
  if (found !== undefined) return found;
  const installation = await installRedis(server, report);
  const installed = await findServer(installation.programs, server);
  if (installed !== undefined) return installed;
  const why = 'why' in installation ? installation.why : 'what was installed is another version';
  throw new TestBrokerError(
    'TOOL_MISSING',
    `${wanted(server)} is needed, and was not installed (${why}). ` +
      'Install it (Debian, Ubuntu: redis-server or valkey-server; macOS: brew install redis or valkey), name ' +
      'one with the option binary, or start Docker.',
  );
}

/** Whether that server is what was asked for. */
function fits({ product, version }: RedisServer, name: RedisServerName | undefined): boolean {
  const major = Number(version.split('.')[0]);
  if (name === undefined) return major >= 7;
  return name === `${product.toLowerCase()}-${major}`;
}

function wanted(name: RedisServerName | undefined): string {
  return name === undefined ? 'Redis 7.0 or newer, or Valkey' : name;
}

async function givenBinary(path: string, name: RedisServerName | undefined): Promise<RedisServer> {
  const found = await inspect(path, path);
  if (found !== undefined && fits(found, name)) return found;
  const what = found === undefined ? 'no Redis server' : `${found.product} ${found.version}`;
  throw new TestBrokerError('INVALID_OPTIONS', `binary: ${path} is ${what}, but should be ${wanted(name)}.`);
}

async function findServer(
  programs: readonly RedisProgram[],
  name: RedisServerName | undefined,
): Promise<RedisServer | undefined> {
  for (const [command, argv0] of programs) {
    const found = await inspect(command, argv0);
    if (found !== undefined && fits(found, name)) return found;
  }
  return undefined;
}

async function inspect(command: string, argv0: string): Promise<RedisServer | undefined> {
  const { output } = await runCommand(command, ['--version'], { argv0 });
  const [, product, version] = /^(Redis|Valkey) server v=(\d+\.\d+\.\d+)/m.exec(output) ?? [];
  if (product === undefined || version === undefined) return undefined;
  return { command, argv0, product, version };
}
