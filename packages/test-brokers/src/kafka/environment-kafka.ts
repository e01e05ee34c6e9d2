import type { Offer } from '../choose-provider.js';
import { messageOf, TestBrokerError } from '../errors.js';
import { foreignBrokers, foreignLifecycle } from '../lifecycle.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import type { RunningKafka } from './running-kafka.js';
import { fetchNodes } from './wire.js';

const VARIABLE = 'OMNIBUS_KAFKA_BROKERS';
const ANSWER_TIMEOUT_MS = 5_000;

/** Brokers that somebody else runs, at the addresses in `OMNIBUS_KAFKA_BROKERS` (comma-separated, plain). */
export async function offerEnvironment(
  options: ResolvedKafkaOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Offer<RunningKafka>> {
  const value = env[VARIABLE];
  if (!value) return { available: false, reason: `${VARIABLE} is not set` };
  const brokers = value.split(',').map((address) => address.trim());
  await verify(brokers, options);
  const start = async (): Promise<RunningKafka> => existingKafka(brokers, env.OMNIBUS_KAFKA_VERSION);
  return { available: true, reason: `${VARIABLE} is set`, start };
}

/** Somebody named brokers, so taking others instead would be a surprise: what does not fit is an error. */
async function verify(brokers: readonly string[], options: ResolvedKafkaOptions): Promise<void> {
  const problems: string[] = [];
  if (options.advertise !== undefined) problems.push('a proxy cannot be put before them (advertise)');
  if (options.listeners.length > 0) problems.push('they cannot be given listeners');
  if (options.written) problems.push('they cannot be given a configuration');
  if (options.acls) problems.push('they cannot be given ACLs');
  if (Object.keys(options.settings).length > 0) problems.push('they cannot be given settings');
  try {
    const nodes = await fetchNodes(brokers[0] ?? '', ANSWER_TIMEOUT_MS);
    if (nodes.length < options.nodes) problems.push(`they are ${nodes.length}, not ${options.nodes}`);
  } catch (error) {
    problems.push(messageOf(error));
  }
  if (problems.length === 0) return;
  throw new TestBrokerError(
    'INVALID_OPTIONS',
    `The brokers in ${VARIABLE} (${brokers.join(', ')}) do not fit what is asked for: ${problems.join('; ')}. ` +
      `Unset ${VARIABLE} to have a broker started.`,
  );
}

function existingKafka(brokers: readonly string[], version = 'unknown'): RunningKafka {
  return {
    brokers,
    directBrokers: brokers,
    version,
    provider: 'environment',
    listeners: {},
    tls: undefined,
    tokens: undefined,
    users: [],
    admin: undefined,
    nodes: [],
    node: () => {
      throw foreignBrokers(VARIABLE);
    },
    describe: () => `Kafka ${version} at ${brokers.join(', ')}: environment, since ${VARIABLE} is set`,
    ...foreignLifecycle(VARIABLE),
  };
}
