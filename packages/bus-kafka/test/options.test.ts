import { inspect } from 'node:util';
import { Kafka } from 'kafkajs';
import { KafkaEventBus } from '../src/index.js';
import { type KafkaEventBusOptions, resolveKafkaOptions } from '../src/options.js';

function problems(options: unknown): string[] {
  try {
    resolveKafkaOptions(options as KafkaEventBusOptions);
    return [];
  } catch (error) {
    return (error as { readonly problems: readonly { readonly path: string }[] }).problems.map(
      ({ path }) => path,
    );
  }
}

describe('options', () => {
  test('all may be left out', () => {
    expect(resolveKafkaOptions()).toMatchObject({
      brokers: ['localhost:9092'],
      topicPrefix: 'events',
      group: 'default',
      partitions: 8,
      idempotent: true,
      compression: 'none',
      sessionTimeoutMs: 30_000,
      heartbeatIntervalMs: 3_000,
      security: { protocol: 'PLAINTEXT' },
    });
  });

  test.each([
    ['a:1, b:2', ['a:1', 'b:2']],
    [
      ['a:1', '[::1]:9092'],
      ['a:1', '[::1]:9092'],
    ],
  ])('brokers may be %j', (brokers, expected) => {
    expect(resolveKafkaOptions({ brokers }).brokers).toEqual(expected);
  });

  test('every problem is reported, with its path', () => {
    expect(
      problems({
        brokers: 'nowhere',
        topicPrefx: 'x',
        partitions: 0,
        heartbeatIntervalMs: Number.NaN,
        security: { protocol: 'TLS' },
        retry: { maxRetries: -1 },
      }).sort(),
    ).toEqual([
      'brokers',
      'heartbeatIntervalMs',
      'partitions',
      'retry.maxRetries',
      'security.protocol',
      'topicPrefx',
    ]);
    expect(() => resolveKafkaOptions({ topicPrefx: 'x' } as KafkaEventBusOptions)).toThrow(
      /did you mean "topicPrefix"/,
    );
  });

  test.each<[string, KafkaEventBusOptions, string]>([
    ['a heartbeat too rare for the session', { heartbeatIntervalMs: 15_000 }, 'heartbeatIntervalMs'],
    ['a hand-over longer than a rebalance', { handOverTimeoutMs: 60_000 }, 'handOverTimeoutMs'],
    [
      'a fetch that waits longer than a request may take',
      { maxWaitTimeMs: 1_000, requestTimeoutMs: 1_000 },
      'maxWaitTimeMs',
    ],
    ['SASL without a mechanism', { security: { protocol: 'SASL_SSL' } }, 'security.mechanism'],
    [
      'a mechanism without SASL',
      { security: { protocol: 'SSL', mechanism: 'PLAIN', credentials: { username: 'u', password: 'p' } } },
      'security.mechanism',
    ],
    [
      'SCRAM without a password',
      { security: { mechanism: 'SCRAM-SHA-256', credentials: { username: 'u' } as never } },
      'security.credentials.password',
    ],
    [
      'OAUTHBEARER without a token',
      { security: { protocol: 'SASL_SSL', mechanism: 'OAUTHBEARER' } },
      'security.credentials',
    ],
    [
      'a certificate without its key',
      { security: { tls: { cert: '-----BEGIN CERTIFICATE-----' } } },
      'security.tls.cert',
    ],
    [
      'details of TLS without TLS',
      { security: { protocol: 'PLAINTEXT', tls: { servername: 's' } } },
      'security.protocol',
    ],
    ['TLS that is refused and asked for', { security: { protocol: 'SSL', tls: false } }, 'security.protocol'],
    [
      'a name in two spellings',
      { securityProtocol: 'SSL', security: { protocol: 'SSL' } },
      'securityProtocol',
    ],
    [
      'a mechanism in two spellings',
      {
        saslMechanism: 'PLAIN',
        security: { mechanism: 'PLAIN', credentials: { username: 'u', password: 'p' } },
      },
      'saslMechanism',
    ],
    ['a file that cannot be read', { security: { tls: { ca: '/nowhere/ca.pem' } } }, 'security.tls.ca'],
    ['a codec that is not there', { compression: 'zstd' }, 'compressionCodecs'],
    ['an event larger than a batch', { maxEventBytes: 2_000_000 }, 'maxEventBytes'],
    ['a client and addresses', { kafka: new Kafka({ brokers: ['a:1'] }), brokers: 'a:1' }, 'kafka'],
    ['a topic name that Kafka refuses', { topicPrefix: 'a b' }, 'topicPrefix'],
  ])('%s is refused', (_what, options, path) => {
    expect(problems(options)).toEqual([path]);
  });

  test('secrets are not printed, and not part of messages', () => {
    const options = {
      security: {
        protocol: 'SASL_SSL',
        mechanism: 'PLAIN',
        credentials: { username: 'u', password: 'hidden-9c1' },
      },
    } as const;
    const bus = new KafkaEventBus(options);
    const shown = [
      inspect(resolveKafkaOptions(options), { depth: 9 }),
      JSON.stringify(resolveKafkaOptions(options)),
      inspect(bus, { depth: 12, showHidden: true }),
    ];
    expect(shown.filter((value) => value.includes('hidden-9c1'))).toEqual([]);
  });
});
