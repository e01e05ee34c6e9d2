import type { Offer } from '../choose-provider.js';
import { messageOf, TestBrokerError } from '../errors.js';
import { foreignBrokers, foreignLifecycle } from '../lifecycle.js';
import { redisCli } from './administer-redis.js';
import { askRedis, type RedisTarget } from './ask.js';
import { identityOf, infoOf } from './redis-node.js';
import type { ResolvedRedisOptions } from './redis-options.js';
import type { RunningRedis } from './running-redis.js';

const VARIABLE = 'OMNIBUS_REDIS_URL';
const ANSWER_TIMEOUT_MS = 5_000;

/** A Redis that somebody else runs, at the address in `OMNIBUS_REDIS_URL`. */
export async function offerEnvironment(
  options: ResolvedRedisOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Offer<RunningRedis>> {
  const url = env[VARIABLE];
  if (!url) return { available: false, reason: `${VARIABLE} is not set` };
  const redis = await findRedis(url, options);
  return { available: true, reason: `${VARIABLE} is set`, start: async () => redis };
}

/** For what cannot be one Redis that somebody else runs: an error where one is named. */
export async function refuseEnvironment(
  options: ResolvedRedisOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Offer<never>> {
  const url = env[VARIABLE];
  if (!url) return { available: false, reason: `${VARIABLE} is not set` };
  throw misfit(url, [...misfits(options)]);
}

/** Somebody named a Redis, so taking another instead would be a surprise: what does not fit is an error. */
async function findRedis(url: string, options: ResolvedRedisOptions): Promise<RunningRedis> {
  const problems = [...misfits(options)];
  try {
    const target = targetOfUrl(url);
    const identity = identityOf(await infoOf(target, 'server', ANSWER_TIMEOUT_MS));
    if (problems.length === 0) return existingRedis(url, target, identity);
  } catch (error) {
    problems.push(messageOf(error));
  }
  throw misfit(url, problems);
}

function misfit(url: string, problems: readonly string[]): TestBrokerError {
  return new TestBrokerError(
    'INVALID_OPTIONS',
    `The Redis in ${VARIABLE} (${withoutPassword(url)}) does not fit what is asked for: ` +
      `${problems.join('; ')}. Unset ${VARIABLE} to have one started.`,
  );
}

function* misfits(options: ResolvedRedisOptions): Generator<string> {
  if (options.topology !== 'single') yield `it is a single Redis, not a ${options.topology}`;
  for (const name of ['server', 'binary', 'maxMemoryMb'] as const) {
    if (options[name] !== undefined) yield `it cannot be given ${name}`;
  }
  for (const name of ['durable', 'tls', 'unixSocket'] as const) {
    if (options[name] !== false) yield `it cannot be given ${name}`;
  }
  if (options.config.length > 0) yield 'it cannot be given config';
  if (options.users.length > 0) yield 'it cannot be given users';
}

function targetOfUrl(url: string): RedisTarget {
  const { protocol, hostname, port, username, password } = new URL(url);
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new Error(`its scheme is ${protocol}, but must be redis: or rediss:`);
  }
  // A name in brackets is an IPv6 address.
  const at = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
  const user =
    password === ''
      ? undefined
      : { username: decodeURIComponent(username) || 'default', password: decodeURIComponent(password) };
  return { at, user, tls: protocol === 'rediss:' ? {} : undefined };
}

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/, ':***@');
}

function existingRedis(
  url: string,
  target: RedisTarget,
  { product, version }: { readonly product: string; readonly version: string },
): RunningRedis {
  const ask: RunningRedis['ask'] = (...command) => askRedis(target, command, ANSWER_TIMEOUT_MS);
  return {
    url,
    address: target.at as RunningRedis['address'],
    product,
    version,
    provider: 'environment',
    tls: undefined,
    socketPath: undefined,
    users: target.user === undefined ? [] : [target.user],
    admin: target.user,
    nodes: [],
    node: () => {
      throw foreignBrokers(VARIABLE);
    },
    ask,
    describe: () => `${product} ${version} at ${withoutPassword(url)}: environment, since ${VARIABLE} is set`,
    ...foreignLifecycle(VARIABLE),
    administer: (command) => redisCli(ask, command),
  };
}
