import { aptInstall } from '../apt.js';
import { TestBrokerError } from '../errors.js';
import type { Report } from '../report.js';
import { runCommand } from '../run-command.js';
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
  const found = await findInPath(server);
  if (found !== undefined) return found;
  report(`No ${wanted(server)} is here`);
  const why = await install(server, report);
  const installed = why === undefined ? await findInPath(server) : undefined;
  if (installed !== undefined) return installed;
  throw new TestBrokerError(
    'TOOL_MISSING',
    `${wanted(server)} is needed, and was not installed (${why ?? 'what was installed is another version'}). ` +
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

// Debian ships the program itself in its package of tools, under the name of the checker; the package
// `redis-server` adds a link and a service of the system.
const PROGRAMS: readonly (readonly [command: string, argv0: string])[] = [
  ['redis-server', 'redis-server'],
  ['valkey-server', 'valkey-server'],
  ['redis-check-rdb', 'redis-server'],
  ['valkey-check-rdb', 'valkey-server'],
];

async function findInPath(name: RedisServerName | undefined): Promise<RedisServer | undefined> {
  for (const [command, argv0] of PROGRAMS) {
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

/** Returns why it could not, or undefined when it did. */
async function install(name: RedisServerName | undefined, report: Report): Promise<string | undefined> {
  // The tools without the service: a test must not make a server of the machine's that listens from now on.
  return aptInstall([name === 'valkey-8' ? 'valkey-tools' : 'redis-tools'], report);
}
