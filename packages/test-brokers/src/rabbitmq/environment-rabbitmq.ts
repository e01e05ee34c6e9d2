import type { Offer } from '../choose-provider.js';
import { messageOf, TestBrokerError } from '../errors.js';
import { foreignBrokers, foreignLifecycle } from '../lifecycle.js';
import { greet } from './greeting.js';
import type { ResolvedRabbitMQOptions } from './rabbitmq-options.js';
import type { RunningRabbitMQ } from './running-rabbitmq.js';

const VARIABLE = 'OMNIBUS_RABBITMQ_URLS';
const ANSWER_TIMEOUT_MS = 5_000;

/** A RabbitMQ that somebody else runs, at the addresses in `OMNIBUS_RABBITMQ_URLS` (comma-separated, plain). */
export async function offerEnvironment(
  options: ResolvedRabbitMQOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Offer<RunningRabbitMQ>> {
  const value = env[VARIABLE];
  if (!value) return { available: false, reason: `${VARIABLE} is not set` };
  const urls = value.split(',').map((url) => url.trim());
  const version = await verify(urls, options);
  return {
    available: true,
    reason: `${VARIABLE} is set`,
    start: async () => existingRabbitMQ(urls, version),
  };
}

/** Somebody named a broker, so taking another instead would be a surprise: what does not fit is an error. */
async function verify(urls: readonly string[], options: ResolvedRabbitMQOptions): Promise<string> {
  const problems: string[] = [];
  if (options.tls !== false) problems.push('it cannot be given TLS');
  if (options.management) problems.push('it cannot be given the management plugin');
  if (options.users.length > 0) problems.push('it cannot be given users');
  if (options.vhosts.length > 0) problems.push('it cannot be given vhosts');
  if (options.config.length > 0) problems.push('it cannot be given config');
  if (options.configuration) problems.push('it cannot be given a configuration');
  if (options.plugins.length > 0) problems.push('it cannot be given plugins');
  if (urls.length < options.nodes) problems.push(`it has ${urls.length} addresses, not ${options.nodes}`);
  let version = 'unknown';
  try {
    version = await greet(urls[0] ?? '', ANSWER_TIMEOUT_MS);
  } catch (error) {
    problems.push(messageOf(error));
  }
  if (problems.length === 0) return version;
  throw new TestBrokerError(
    'INVALID_OPTIONS',
    `The RabbitMQ in ${VARIABLE} (${urls.map(withoutPassword).join(', ')}) does not fit what is asked for: ` +
      `${problems.join('; ')}. Unset ${VARIABLE} to have one started.`,
  );
}

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/, ':***@');
}

function existingRabbitMQ(urls: readonly string[], version: string): RunningRabbitMQ {
  return {
    urls,
    managementUrl: undefined,
    version,
    provider: 'environment',
    tls: undefined,
    users: [],
    nodes: [],
    node: () => {
      throw foreignBrokers(VARIABLE);
    },
    describe: () =>
      `RabbitMQ ${version} at ${urls.map(withoutPassword).join(', ')}: environment, since ${VARIABLE} is set`,
    ...foreignLifecycle(VARIABLE),
  };
}
