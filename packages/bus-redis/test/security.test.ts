import { inspect } from 'node:util';

import { consumeSpec, RecordingSink, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import { type RunningRedis, startRedis } from '@omnibus/test-brokers';
import { RedisEventBus } from '../src/index.js';
import { Opener, until } from './support/redis.js';

const opener = new Opener();
let redis: RunningRedis;
let tlsRedis: RunningRedis;

beforeAll(async () => {
  [redis, tlsRedis] = await Promise.all([
    startRedis({
      users: [
        { username: 'omnibus', password: 'right' },
        { username: 'reader', password: 'right', rules: '~* &* +@read +@connection +info +set' },
        { username: 'patient', password: 'right', rules: '~* &* +@all -client|unblock' },
      ],
    }),
    startRedis({ tls: 'mutual', unixSocket: true }),
  ]);
});
afterAll(() => Promise.all([redis.stop(), tlsRedis.stop()]));
afterEach(() => opener.close());

describe('security', () => {
  test('a user and a password, given as options or in the url', async () => {
    const { transport } = await opener.open({
      url: redis.url,
      security: { credentials: { username: 'omnibus', password: 'right' } },
    });
    await sendAll(transport, records(0, 1));
    const inUrl = await opener.open({ url: redis.url.replace('redis://', 'redis://omnibus:right@') });
    await inUrl.transport.ping(1_000);
  });

  test.each([
    ['a wrong password', { security: { credentials: { username: 'omnibus', password: 'wrong' } } }],
    ['no password', {}],
  ])('%s is refused at once, whatever the time-out', async (_, options) => {
    const bus = new RedisEventBus({ url: redis.url, connectTimeoutMs: 60_000, ...options });
    await expect(bus.connect()).rejects.toMatchObject({ code: 'AUTHENTICATION', retryable: false });
    await bus.shutdown();
  });

  test('a wrong password is in nothing that the refusal carries', async () => {
    const bus = new RedisEventBus({
      url: redis.url,
      security: { credentials: { username: 'omnibus', password: 'hush-hush' } },
    });
    const refusal = await bus.connect().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'AUTHENTICATION', cause: { command: { name: 'auth' } } });
    expect(inspect(refusal, { depth: 10, showHidden: true })).not.toContain('hush-hush');
    await bus.shutdown();
  });

  test('a right that is missing is told with the command and the key', async () => {
    const reader = await opener
      .open({
        url: redis.url,
        streamPrefix: 'forbidden',
        security: { credentials: { username: 'reader', password: 'right' } },
      })
      .catch((error: unknown) => error);
    expect(reader).toMatchObject({ code: 'AUTHORIZATION', retryable: false });
    expect((reader as Error).message).toMatch(/setnx on \{forbidden:stream\}:partitions/);
  });

  test('who finds the number of partitions needs no right to write it', async () => {
    const options = { url: redis.url, streamPrefix: uniqueName('found'), partitions: 2 };
    await opener.open({
      ...options,
      security: { credentials: { username: 'omnibus', password: 'right' } },
    });
    const { transport } = await opener.open({
      ...options,
      security: { credentials: { username: 'reader', password: 'right' } },
    });
    expect(transport.partitions).toBe(2);
  });

  test('who may not end waits waits all the same, and reads what comes', async () => {
    const { transport, told } = await opener.open({
      url: redis.url,
      security: { credentials: { username: 'patient', password: 'right' } },
    });
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    for (let round = 0; round < 3; round += 1) {
      await sendAll(transport, records(round, 1));
      await until('the record', () => sink.delivered.length === round + 1);
    }
    expect(told.errors).toEqual([]);
  });

  test('TLS with a certificate of the client; without it, or without the authority, nothing is sent', async () => {
    const { tls } = tlsRedis;
    if (!tls) throw new Error('no TLS');
    const { transport } = await opener.open({
      url: tls.url,
      security: { tls: { ca: tls.ca, cert: tls.clientCertificate, key: tls.clientKey } },
    });
    await sendAll(transport, records(0, 1));
    const strangers = new RedisEventBus({ url: tls.url, connectTimeoutMs: 5_000 });
    await expect(strangers.connect()).rejects.toMatchObject({ code: 'TLS' });
    await strangers.shutdown();
  });

  test('a server that is not verified is a warning, told once', async () => {
    const { tls } = tlsRedis;
    if (!tls) throw new Error('no TLS');
    const { told } = await opener.open({
      url: tls.url,
      security: {
        tls: { cert: tls.clientCertificate, key: tls.clientKey, rejectUnauthorized: false },
      },
    });
    expect(told.warnings).toEqual([expect.stringMatching(/rejectUnauthorized is false/)]);
  });

  test('a Unix socket', async () => {
    const { transport } = await opener.open({ path: tlsRedis.socketPath ?? '' });
    await sendAll(transport, records(0, 1));
  });

  test('no password is shown by what is printed', () => {
    const bus = new RedisEventBus({ security: { credentials: { username: 'u', password: 'hush-hush' } } });
    expect(JSON.stringify(bus)).not.toContain('hush-hush');
  });
});
