import type { RabbitMQTls, RunningRabbitMQ, ServerCertificate } from '../src/index.js';
import { publish, startNativeRabbitMQ, withConnection } from './rabbitmq-native.js';

const ALICE = {
  username: 'alice',
  password: 'alice-secret',
  permissions: [{ vhost: 'orders', configure: '', write: '^events$', read: '^mine-' }],
  topicPermissions: [{ vhost: 'orders', exchange: 'events', write: '^own[.]', read: '.*' }],
};
const CAROL = { username: 'carol' };
// amqplib does not pass the reason on.
const NO_VHOST = /Expected ConnectionOpenOk; got <ConnectionClose/;

describe('users and TLS of a RabbitMQ', () => {
  let rabbitmq: RunningRabbitMQ;
  beforeAll(async () => {
    rabbitmq = await startNativeRabbitMQ({
      tls: 'mutual',
      certificateLogin: true,
      vhosts: ['orders'],
      users: [ALICE, CAROL],
    });
    await withConnection(as('guest', 'guest'), async (connection) => {
      const channel = await connection.createChannel();
      await channel.assertExchange('events', 'topic');
    });
  }, 240_000);
  afterAll(() => rabbitmq?.stop());

  const as = (user: string, password: string, vhost = 'orders'): string => {
    const { host } = new URL(rabbitmq.urls[0] ?? '');
    return `amqp://${user}:${password}@${host}/${vhost}`;
  };

  it('let each user do what the permissions say', async () => {
    const alice = as('alice', 'alice-secret');
    await publish(alice, 'events', 'own.key');
    await expect(publish(alice, 'events', 'other.key')).rejects.toThrow(/ACCESS_REFUSED.*topic/s);
    await expect(publish(alice, 'amq.topic')).rejects.toThrow(/ACCESS_REFUSED/);
    await expect(publish(as('alice', 'guess'), 'events')).rejects.toThrow(/ACCESS[-_]REFUSED/);
    await expect(publish(as('alice', 'alice-secret', '%2f'), 'events')).rejects.toThrow(NO_VHOST);
    await expect(publish(as('carol', ''), 'events')).rejects.toThrow(/ACCESS[-_]REFUSED/);
  });

  it('change while it runs, by the commands of documentation', async () => {
    const bob = as('bob', 'bob-secret');
    await rabbitmq.administer(['rabbitmqctl', 'add_user', 'bob', 'bob-secret']);
    await expect(publish(bob, 'events')).rejects.toThrow(NO_VHOST);
    await rabbitmq.administer(['rabbitmqctl', 'set_permissions', '-p', 'orders', 'bob', '', '^events$', '']);
    await publish(bob, 'events');
    await rabbitmq.administer(['rabbitmqctl', 'change_password', 'bob', 'another']);
    await expect(publish(bob, 'events')).rejects.toThrow(/ACCESS[-_]REFUSED/);
    await rabbitmq.administer(['rabbitmqctl', 'clear_permissions', '-p', 'orders', 'bob']);
    await expect(publish(as('bob', 'another'), 'events')).rejects.toThrow(NO_VHOST);
    expect(await rabbitmq.administer(['rabbitmq-plugins', 'list', '-e', '-m'])).toContain(
      'auth_mechanism_ssl',
    );
    const wrong = rabbitmq.administer(['rabbitmqctl', 'add_user', 'bob', 'canary']);
    await expect(wrong).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    await expect(wrong).rejects.toThrow(/already exists/);
    await expect(wrong).rejects.not.toThrow(/canary/);
  }, 120_000);

  const tls = (): RabbitMQTls => {
    if (rabbitmq.tls === undefined) throw new Error('there is no TLS');
    return rabbitmq.tls;
  };
  const external = { credentials: { mechanism: 'EXTERNAL', response: () => Buffer.alloc(0) } };
  const connectTls = (options: object): Promise<unknown> =>
    withConnection(`${tls().urls[0]}/%2f`, async (connection) => connection.createChannel(), options);
  const asGuest = (): object => {
    const { ca, clientCertificate: cert, clientKey: key } = tls();
    return { ca: [ca], cert, key };
  };

  it('take the common name of a client certificate for the user', async () => {
    const show = async (...args: Parameters<RabbitMQTls['issueClientCertificate']>): Promise<unknown> => {
      const { clientCertificate: cert, clientKey: key } = await tls().issueClientCertificate(...args);
      return connectTls({ ca: [tls().ca], cert, key, ...external });
    };
    await show('carol');
    await expect(show('nobody')).rejects.toThrow(/ACCESS[-_]REFUSED/);
    await expect(show('carol', 'expired')).rejects.toThrow(/alert certificate expired/);
    await expect(show('carol', 'unknown-authority')).rejects.toThrow(/alert unknown ca/);
    await expect(connectTls({ ca: [tls().ca], ...external })).rejects.toThrow(/alert .*certificate/);
  }, 60_000);

  it.each<[ServerCertificate, RegExp]>([
    ['expired', /certificate has expired/],
    ['wrong-name', /does not match certificate/],
    ['unknown-authority', /unable to verify|self-signed|local issuer/],
  ])(
    'show another certificate while it runs: %s',
    async (certificate, refusal) => {
      await connectTls(asGuest());
      await tls().show(certificate);
      try {
        await expect(connectTls(asGuest())).rejects.toThrow(refusal);
      } finally {
        await tls().show('valid');
      }
      await connectTls(asGuest());
    },
    60_000,
  );
});

describe('a RabbitMQ with another certificate from the start', () => {
  it('shows it', async () => {
    const rabbitmq = await startNativeRabbitMQ({ tls: true, serverCertificate: 'unknown-authority' });
    try {
      const { urls, ca, unknownCa } = rabbitmq.tls ?? {};
      const connectWith = (trusted = ''): Promise<void> =>
        withConnection(urls?.[0] ?? '', async () => {}, { ca: [trusted] });
      await connectWith(unknownCa);
      await expect(connectWith(ca)).rejects.toThrow(/unable to verify|self-signed|local issuer/);
    } finally {
      await rabbitmq.stop();
    }
  }, 120_000);
});
