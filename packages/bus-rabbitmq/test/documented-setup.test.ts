import { orderPlaced, outcomeOf } from '@omnibus/conformance-tests';
import { type RunningRabbitMQ, startRabbitMQ } from '@omnibus/test-brokers';
import { documentedConfiguration } from '../../../scripts/lib/documented-configuration.cjs';
import { RabbitMQEventBus, type RabbitMQEventBusOptions } from '../src/index.js';
import { until } from './support/rabbitmq.js';
import { runCommandsOf } from './support/roles.js';

jest.setTimeout(60_000);

/** What the comment in the block says of mTLS. */
const WITH_CERTIFICATES = {
  'ssl_options.verify = verify_none': 'ssl_options.verify = verify_peer',
  'ssl_options.fail_if_no_peer_cert = false': 'ssl_options.fail_if_no_peer_cert = true',
};

describe.each([
  ['as it stands', {}, false],
  ['with certificates of clients', WITH_CERTIFICATES, true],
])('the configuration in docs/security.md, %s,', (_how, changes, asksForCertificate) => {
  let rabbitmq: RunningRabbitMQ;
  const buses: RabbitMQEventBus[] = [];

  beforeAll(async () => {
    rabbitmq = await startRabbitMQ({
      tls: true,
      configuration: ({ tlsPort, caPath, certificatePath }) =>
        documentedConfiguration('rabbitmq', {
          '5671': String(tlsPort),
          '/etc/rabbitmq/ca.crt': caPath,
          '/etc/rabbitmq/rabbitmq.crt': certificatePath,
          '/etc/rabbitmq/rabbitmq.key': certificatePath,
          ...changes,
        }),
    });
    for (const role of ['deployer', 'publisher', 'consumer']) await runCommandsOf(role, rabbitmq);
  }, 180_000);
  afterAll(() => rabbitmq.stop());
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 0 })));
  });

  function rightTls(): { ca: string; cert?: string; key?: string } {
    const { ca, clientCertificate: cert, clientKey: key } = tlsOf(rabbitmq);
    return asksForCertificate ? { ca, cert, key } : { ca };
  }

  function busOf(username: string, options: RabbitMQEventBusOptions = {}): RabbitMQEventBus {
    const bus = new RabbitMQEventBus({
      urls: tlsOf(rabbitmq).urls,
      group: 'billing',
      createTopology: username === 'deployer',
      security: { tls: rightTls(), credentials: { username, password: `${username}-secret` } },
      ...options,
    });
    buses.push(bus);
    return bus;
  }

  test('serves from the deployment to the handler', async () => {
    await busOf('deployer').ensureGroup();
    const consumer = busOf('billing');
    const handled: string[] = [];
    consumer.subscribe('OrderPlaced', ({ aggregateId }) => void handled.push(aggregateId));
    await consumer.startConsuming();
    await busOf('publisher').publish(orderPlaced(7));
    await until('the event', () => handled.length > 0);
    expect(handled).toEqual(['order-7']);
  });

  test('listens with TLS alone', async () => {
    const listeners = await rabbitmq.administer(['rabbitmq-diagnostics', '-q', 'listeners']);
    expect(listeners).toContain('protocol: amqp/ssl');
    expect(listeners).not.toContain('protocol: amqp,');
  });

  test('lets in no guest, and nobody with a wrong password', async () => {
    const tls = rightTls();
    for (const [username, password] of [
      ['guest', 'guest'],
      ['publisher', 'wrong'],
    ] as const) {
      const bus = busOf('', { security: { tls, credentials: { username, password } } });
      expect(await outcomeOf(bus.connect())).toBe('AUTHENTICATION');
    }
  });

  test('is not taken for another broker', async () => {
    const credentials = { username: 'publisher', password: 'publisher-secret' };
    const bus = busOf('', { security: { tls: { ca: tlsOf(rabbitmq).unknownCa }, credentials } });
    expect(await outcomeOf(bus.connect())).toBe('TLS');
  });

  test(`asks clients for ${asksForCertificate ? 'a' : 'no'} certificate`, async () => {
    const credentials = { username: 'publisher', password: 'publisher-secret' };
    const bus = busOf('', {
      createTopology: false,
      security: { tls: { ca: tlsOf(rabbitmq).ca }, credentials },
    });
    expect(await outcomeOf(bus.publish(orderPlaced(8)))).toBe(asksForCertificate ? 'TLS' : 'done');
  });
});

function tlsOf({ tls }: RunningRabbitMQ): NonNullable<RunningRabbitMQ['tls']> {
  if (!tls) throw new Error('no TLS');
  return tls;
}
