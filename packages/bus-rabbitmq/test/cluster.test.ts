import { consumeSpec, RecordingSink, record, sendAll, Told, uniqueName } from '@omnibus/conformance-tests';
import { type RunningRabbitMQ, startRabbitMQ } from '@omnibus/test-brokers';
import { RabbitMQTransport } from '../src/transport.js';
import { testOptions, until, values } from './support/rabbitmq.js';

const STARTING_MS = 400_000;

let rabbitmq: RunningRabbitMQ;

beforeAll(async () => {
  rabbitmq = await startRabbitMQ({ nodes: 3 });
}, STARTING_MS);
afterAll(() => rabbitmq.stop());

test('the loss of the node that leads the queues loses nothing that was confirmed and keeps the order', async () => {
  const transport = new RabbitMQTransport(
    testOptions({ urls: rabbitmq.urls, exchange: uniqueName(), partitions: 2, requestTimeoutMs: 3_000 }),
  );
  const told = new Told();
  await transport.open(told);
  const sink = new RecordingSink();
  await transport.consume(consumeSpec(uniqueName()), sink);
  // The queues' leaders are on the node that the client is connected to: the one that declared them.
  for (let n = 0; n < 200; n += 1) {
    await sendAll(transport, [record(0, `0/${n}`), record(1, `1/${n}`)]);
    if (n === 100) await rabbitmq.node(0).kill();
  }
  for (const partition of [0, 1]) {
    const arrived = (): string[] => [...new Set(sink.values(partition))];
    await until(`partition ${partition}`, () => arrived().length === 200, 60_000);
    expect(arrived()).toEqual(values(partition, 200));
  }
  expect(told.disconnections.length).toBeGreaterThan(0);
  await transport.close();
}, 180_000);
