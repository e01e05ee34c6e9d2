import { RabbitMQEventBus } from '@omnibus/bus-rabbitmq';
import { uniqueName } from '@omnibus/conformance-tests';
import { type BusError, createEvent } from '@omnibus/core';
import { type RunningRabbitMQ, startRabbitMQ } from '@omnibus/test-brokers';
import { resolveRabbitMQOptions } from '../src/options.js';

const STARTING_MS = 180_000;
const event = createEvent({
  eventType: 'T',
  aggregateType: 'A',
  aggregateId: 'a',
  aggregateVersion: 1,
  data: {},
});

let rabbitmq: RunningRabbitMQ;

beforeAll(async () => {
  rabbitmq = await startRabbitMQ({
    tls: 'mutual',
    plugins: ['rabbitmq_auth_mechanism_ssl'],
    config: [
      'auth_mechanisms.1 = PLAIN',
      'auth_mechanisms.2 = EXTERNAL',
      'ssl_cert_login_from = common_name',
    ],
  });
  const { ctl } = rabbitmq.node(0);
  await ctl('add_user', 'omnibus', 'unused');
  await ctl('set_permissions', 'omnibus', '.*', '.*', '.*');
  await ctl('add_user', 'narrow', 'canary-secret');
  await ctl('set_permissions', 'narrow', '^allowed.*', '^allowed.*', '^allowed.*');
}, STARTING_MS);
afterAll(() => rabbitmq.stop());

async function failureOf(work: Promise<unknown>): Promise<BusError | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => error as BusError,
  );
}

function tls(): { urls: string; tls: { ca: string; cert: string; key: string } } {
  const { urls, ca, clientCertificate, clientKey } = rabbitmq.tls ?? noTls();
  return { urls: urls[0] ?? '', tls: { ca, cert: clientCertificate, key: clientKey } };
}

describe('security', () => {
  test('mTLS with PLAIN and with EXTERNAL publishes', async () => {
    for (const mechanism of ['PLAIN', 'EXTERNAL'] as const) {
      const { urls, ...security } = tls();
      const bus = new RabbitMQEventBus({
        urls,
        exchange: uniqueName(),
        security: { ...security, mechanism },
      });
      await bus.publish(event);
      await bus.shutdown();
    }
  });

  test('an unknown authority is code TLS, a missing certificate too', async () => {
    const {
      urls,
      tls: { ca },
    } = tls();
    const untrusted = new RabbitMQEventBus({ urls, exchange: uniqueName() });
    expect((await failureOf(untrusted.connect()))?.code).toBe('TLS');
    await untrusted.shutdown();
    const anonymous = new RabbitMQEventBus({
      urls,
      exchange: uniqueName(),
      connectTimeoutMs: 3_000,
      security: { tls: { ca } },
    });
    expect(['TLS', 'CONNECTION_LOST', 'CONNECT']).toContain((await failureOf(anonymous.connect()))?.code);
    await anonymous.shutdown();
  });

  test('brokers that are not verified are a warning, told once', async () => {
    const { urls, tls: right } = tls();
    const bus = new RabbitMQEventBus({
      urls,
      exchange: uniqueName(),
      security: { tls: { ...right, rejectUnauthorized: false } },
    });
    const warnings: string[] = [];
    const reading = (async () => {
      for await (const status of bus.status()) if (status.type === 'warning') warnings.push(status.message);
    })();
    await bus.publish(event);
    await bus.shutdown();
    await reading;
    expect(warnings).toEqual([expect.stringMatching(/rejectUnauthorized is false/)]);
  });

  test('a wrong password is AUTHENTICATION, an unknown virtual host AUTHORIZATION, and no secret is shown', async () => {
    const [url = ''] = rabbitmq.urls;
    const wrong = new RabbitMQEventBus({
      urls: url,
      security: { credentials: { username: 'narrow', password: 'wrong-canary' } },
    });
    const error = await failureOf(wrong.connect());
    expect(error?.code).toBe('AUTHENTICATION');
    expect(String(error?.stack)).not.toContain('wrong-canary');
    await wrong.shutdown();
    const elsewhere = new RabbitMQEventBus({ urls: `${url}/nowhere` });
    expect((await failureOf(elsewhere.connect()))?.code).toBe('AUTHORIZATION');
    await elsewhere.shutdown();
    const inUrl = url.replace('//', '//user:canary@');
    expect(JSON.stringify(resolveRabbitMQOptions({ urls: inUrl }).security)).not.toContain('canary');
  });

  test('a missing permission on one exchange is AUTHORIZATION there, and the rest works', async () => {
    const urls = rabbitmq.urls[0] ?? '';
    const security = { credentials: { username: 'narrow', password: 'canary-secret' } };
    const refused = new RabbitMQEventBus({ urls, exchange: uniqueName('refused'), security });
    const error = await failureOf(refused.connect());
    expect(error?.code).toBe('AUTHORIZATION');
    expect(error?.message).not.toContain('canary-secret');
    await refused.shutdown();
    const allowed = new RabbitMQEventBus({ urls, exchange: uniqueName('allowed'), security });
    await allowed.publish(event);
    await allowed.shutdown();
  });
});

function noTls(): never {
  throw new Error('The broker was started without TLS');
}
