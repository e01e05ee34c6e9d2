import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { consumeSpec, RecordingSink } from '@omnibus/conformance-tests';
import { type RunningKafka, startKafka } from '@omnibus/test-brokers';
import { KafkaEventBus } from '../src/index.js';
import type { KafkaEventBusOptions } from '../src/options.js';
import { KafkaTransport } from '../src/transport.js';
import { publish, records, Told, testOptions, uniqueName, until } from './support/kafka.js';

let kafka: RunningKafka;

beforeAll(async () => {
  kafka = await startKafka({
    listeners: [
      { name: 'SCRAM', protocol: 'SASL_SSL' },
      { name: 'MTLS', protocol: 'SSL', clientCertificate: 'required' },
      { name: 'TOKEN', protocol: 'SASL_PLAINTEXT', mechanisms: ['OAUTHBEARER'] },
    ],
  });
}, 60_000);
afterAll(() => kafka?.stop());

function settings(
  listener: string,
  security: KafkaEventBusOptions['security'],
): ReturnType<typeof testOptions> {
  return testOptions({
    brokers: kafka.listeners[listener]?.brokers ?? [],
    topicPrefix: uniqueName('topic'),
    partitions: 2,
    security: security ?? {},
    connectionTimeoutMs: 3_000,
  });
}

async function roundTrip(options: ReturnType<typeof testOptions>): Promise<string[]> {
  const transport = new KafkaTransport(options);
  try {
    await transport.open(new Told());
    await publish(transport, records(0, 3));
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    await until('the records', () => sink.delivered.length === 3);
    return sink.values();
  } finally {
    await transport.close();
  }
}

const user = { username: 'omnibus', password: 'omnibus-secret' };

describe('security', () => {
  test.each(['SCRAM-SHA-256', 'SCRAM-SHA-512', 'PLAIN'] as const)(
    '%s over TLS publishes and consumes',
    async (mechanism) => {
      const options = settings('SCRAM', {
        protocol: 'SASL_SSL',
        mechanism,
        credentials: user,
        tls: { ca: kafka.tls?.ca ?? '' },
      });
      expect(await roundTrip(options)).toEqual(['0/0', '0/1', '0/2']);
    },
  );

  test('a client certificate from files publishes and consumes', async () => {
    const { caPath = '', clientCertificatePath = '', clientKeyPath = '' } = kafka.tls ?? {};
    const options = settings('MTLS', {
      protocol: 'SSL',
      tls: { ca: caPath, cert: clientCertificatePath, key: clientKeyPath },
    });
    expect(await roundTrip(options)).toEqual(['0/0', '0/1', '0/2']);
  });

  test('a client certificate from bytes publishes and consumes', async () => {
    const { caPath = '', clientCertificatePath = '', clientKeyPath = '' } = kafka.tls ?? {};
    const options = settings('MTLS', {
      protocol: 'SSL',
      tls: {
        ca: readFileSync(caPath),
        cert: readFileSync(clientCertificatePath),
        key: readFileSync(clientKeyPath),
      },
    });
    expect(await roundTrip(options)).toEqual(['0/0', '0/1', '0/2']);
  });

  test.each([
    ['another certificate', {}],
    ['a file that nothing opens', { cipher: 'aes-256-cbc', passphrase: 'hidden-4d1' }],
  ])('the key of %s is found out before any connection, and not shown', (_what, encryption) => {
    const { caPath = '', clientCertificatePath = '' } = kafka.tls ?? {};
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2_048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', ...encryption },
    });
    const make = (): unknown =>
      settings('MTLS', {
        protocol: 'SSL',
        tls: { ca: caPath, cert: clientCertificatePath, key: privateKey },
      });
    expect(make).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION',
        message: expect.stringContaining('security.tls.key'),
      }),
    );
    expect(make).not.toThrow(privateKey.split('\n')[3]);
  });

  test('OAUTHBEARER asks the callback for its token', async () => {
    let asked = 0;
    const credentials = (): Promise<{ token: string }> => {
      asked += 1;
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const nowSeconds = Math.floor(Date.now() / 1_000);
      return Promise.resolve({
        token: `${part({ alg: 'none' })}.${part({ sub: 'omnibus', iat: nowSeconds, exp: nowSeconds + 600 })}.`,
      });
    };
    expect(
      await roundTrip(
        settings('TOKEN', { protocol: 'SASL_PLAINTEXT', mechanism: 'OAUTHBEARER', credentials }),
      ),
    ).toEqual(['0/0', '0/1', '0/2']);
    expect(asked).toBeGreaterThan(0);
  });

  test('a wrong password is an AUTHENTICATION error', async () => {
    const transport = new KafkaTransport(
      settings('SCRAM', {
        protocol: 'SASL_SSL',
        mechanism: 'SCRAM-SHA-256',
        credentials: { username: 'omnibus', password: 'wrong' },
        tls: { ca: kafka.tls?.ca ?? '' },
      }),
    );
    await expect(transport.open(new Told())).rejects.toMatchObject({
      code: 'AUTHENTICATION',
      retryable: false,
    });
    await transport.close();
  });

  test.each([
    ['an authority that is not known', {}],
    ['a name that the certificate does not carry', { servername: 'somewhere.else' }],
  ])('%s is a TLS error', async (_what, wrong) => {
    const tls = 'servername' in wrong ? { ca: kafka.tls?.ca ?? '', ...wrong } : {};
    const transport = new KafkaTransport(
      settings('SCRAM', { protocol: 'SASL_SSL', mechanism: 'SCRAM-SHA-256', credentials: user, tls }),
    );
    await expect(transport.open(new Told())).rejects.toMatchObject({ code: 'TLS', retryable: false });
    await transport.close();
  });

  test('brokers that are not verified are a warning, told once', async () => {
    const told = new Told();
    const transport = new KafkaTransport(
      settings('SCRAM', {
        mechanism: 'SCRAM-SHA-256',
        credentials: user,
        tls: { rejectUnauthorized: false },
      }),
    );
    await transport.open(told);
    expect(told.warnings).toEqual([expect.stringMatching(/rejectUnauthorized is false/)]);
    await transport.close();
  });

  test('a missing client certificate is refused', async () => {
    const transport = new KafkaTransport(settings('MTLS', { tls: { ca: kafka.tls?.ca ?? '' } }));
    await expect(transport.open(new Told())).rejects.toMatchObject({
      code: expect.stringMatching(/TLS|CONNECTION_LOST|CONNECT/),
    });
    await transport.close();
  });

  test('no secret shows in the bus, in its errors or in what it tells', async () => {
    const password = 'canary-5f3a';
    const bus = new KafkaEventBus({
      brokers: kafka.listeners.SCRAM?.brokers ?? [],
      topicPrefix: uniqueName('topic'),
      connectTimeoutMs: 5_000,
      security: {
        protocol: 'SASL_SSL',
        mechanism: 'PLAIN',
        credentials: { username: 'omnibus', password },
        tls: { ca: kafka.tls?.ca ?? '' },
      },
    });
    const error: unknown = await bus.connect().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'AUTHENTICATION' });
    const shown = [bus, error, bus.stats, await bus.health()].map((value) =>
      inspect(value, { depth: 12, showHidden: true }),
    );
    expect(
      shown.filter(
        (value) => value.includes(password) || value.includes(Buffer.from(password).toString('base64')),
      ),
    ).toEqual([]);
    await bus.shutdown();
  });
});
