import type { RunningRabbitMQ } from '../src/index.js';
import { eventually } from './native.js';
import { messagesIn, startNativeRabbitMQ, write } from './rabbitmq-native.js';

describe('a RabbitMQ of three nodes', () => {
  let rabbitmq: RunningRabbitMQ;
  beforeAll(async () => {
    rabbitmq = await startNativeRabbitMQ({ nodes: 3 });
  }, 300_000);
  afterAll(() => rabbitmq?.stop());

  it('is one cluster', async () => {
    const status = await rabbitmq.administer(['rabbitmqctl', 'cluster_status', '--formatter', 'json']);
    const { running_nodes: running } = JSON.parse(status) as { running_nodes: string[] };
    expect([...running].sort()).toEqual(rabbitmq.nodes.map(({ name }) => name));
    expect(new Set(rabbitmq.urls).size).toBe(3);
  }, 60_000);

  it('serves without one of them, which comes back', async () => {
    const [first = '', second = ''] = rabbitmq.urls;
    await write(first, 'shared', 5);
    await rabbitmq.node(0).kill();
    await eventually(
      'the others serve',
      () =>
        messagesIn(second, 'shared').then(
          (count) => count === 5,
          () => false,
        ),
      60_000,
    );
    expect(await rabbitmq.administer(['rabbitmqctl', 'list_queues', 'name'])).toContain('shared');
    await rabbitmq.node(0).start();
    expect(rabbitmq.nodes.map(({ state }) => state)).toEqual(['running', 'running', 'running']);
    await eventually(
      'it serves',
      () =>
        messagesIn(first, 'shared').then(
          (count) => count === 5,
          () => false,
        ),
      60_000,
    );
  }, 180_000);

  it('has no fourth node', () => {
    expect(() => rabbitmq.node(3)).toThrow('There is no node 3');
  });
});
