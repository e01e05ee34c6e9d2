import { type RabbitMQOptions, startRabbitMQ } from '../src/index.js';
import { resolveRabbitMQOptions } from '../src/rabbitmq/rabbitmq-options.js';

describe('options of startRabbitMQ', () => {
  it('have defaults', () => {
    expect(resolveRabbitMQOptions({})).toMatchObject({
      nodes: 1,
      tls: false,
      serverCertificate: 'valid',
      certificateLogin: false,
      users: [],
      vhosts: [],
      plugins: [],
    });
  });

  it('reports every problem together, before anything is started', async () => {
    const everything = { configure: '.*', write: '.*', read: '.*' };
    const wrong = {
      node: 3,
      nodes: 2,
      serverCertificate: 'expired',
      certificateLogin: true,
      startTimeoutMs: 0,
      configuration: () => '',
      users: [
        { username: 'guest' },
        { username: 'bob', permissions: [{ vhost: 'none', ...everything }] },
        { username: 'bob' },
      ],
    } as object as RabbitMQOptions;
    const error: unknown = await startRabbitMQ(wrong).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' });
    for (const part of [
      'no option "node"',
      'nodes can be 1 or 3',
      'serverCertificate needs tls',
      'certificateLogin needs tls',
      'startTimeoutMs',
      'for one node, with tls',
      'configuration is the whole',
      '"guest" is taken',
      'permissions in "none"',
      '"bob" is twice',
    ]) {
      expect(String(error)).toContain(part);
    }
  });
});
