import { isBusError } from '@omnibus/core';
import { type RabbitMQEventBusOptions, resolveRabbitMQOptions } from '../src/options.js';

function problemsOf(options: unknown): readonly string[] {
  try {
    resolveRabbitMQOptions(options as RabbitMQEventBusOptions);
  } catch (error) {
    if (!isBusError(error) || error.code !== 'CONFIGURATION') throw error;
    return (error as unknown as { problems: readonly { path: string }[] }).problems.map(({ path }) => path);
  }
  return [];
}

/** Parsed by nobody: it is text, not a path. */
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
const connection = { createConfirmChannel: () => undefined };

describe('options', () => {
  test('nothing has to be given', () => {
    const { urls, ...rest } = resolveRabbitMQOptions();
    expect(urls.map(String)).toEqual(['amqp://localhost:5672']);
    expect(rest).toMatchObject({
      exchange: 'events',
      partitions: 8,
      queueType: 'quorum',
      createTopology: true,
      history: false,
      confirmWindow: 2_000,
      heartbeatMs: 10_000,
      presenceIntervalMs: 1_000,
      security: { mechanism: 'PLAIN' },
    });
  });

  test.each<readonly [unknown, string]>([
    [{ urls: 'http://localhost' }, 'urls'],
    [{ urls: [] }, 'urls'],
    [{ urls: ['amqp://a', 7] }, 'urls'],
    [{ urls: 'amqp://a?heartbeat=5' }, 'urls'],
    [{ connection: {} }, 'connection'],
    [{ connection, urls: 'amqp://a' }, 'connection'],
    [{ connection, security: { credentials: { username: 'u', password: 'p' } } }, 'connection'],
    [{ connection, heartbeatMs: 5_000 }, 'connection'],
    [{ exchange: 'amq.topic' }, 'exchange'],
    [{ exchange: 'with space' }, 'exchange'],
    [{ group: 'g'.repeat(250) }, 'group'],
    [{ partitions: 0 }, 'partitions'],
    [{ partitions: 1_001 }, 'partitions'],
    [{ queueType: 'stream' }, 'queueType'],
    [{ maxEventBytes: 20_000_000 }, 'maxEventBytes'],
    [{ confirmWindow: 0 }, 'confirmWindow'],
    [{ security: { credentials: { username: 'u' } } }, 'security.credentials.password'],
    [
      { urls: 'amqp://u:p@h', security: { credentials: { username: 'u', password: 'p' } } },
      'security.credentials',
    ],
    [{ security: { mechanism: 'EXTERNAL' } }, 'security.mechanism'],
    [{ urls: 'amqps://a', security: { tls: { cert: PEM } } }, 'security.tls.cert'],
    [{ urls: 'amqps://a', security: { tls: { ca: 'no such file' } } }, 'security.tls.ca'],
    [{ urls: 'amqps://a', security: { tls: { passphrase: 'p' } } }, 'security.tls.passphrase'],
    [{ security: { tls: { servername: 's' } } }, 'security.tls'],
    [{ exchangeName: 'events' }, 'exchangeName'],
  ])('%j is refused by name', (options, path) => {
    expect(problemsOf(options)).toContain(path);
  });

  test('all problems are told together', () => {
    expect(problemsOf({ partitions: 0, heartbeatMs: 'long', urls: 7 }).toSorted()).toEqual([
      'heartbeatMs',
      'partitions',
      'urls',
    ]);
  });

  test('a URL with a password is not repeated', () => {
    expect(() => resolveRabbitMQOptions({ urls: 'http://user:canary@host' })).not.toThrow(/canary/);
  });
});
