import { consumeSpec, RecordingSink, TcpProxy } from '@omnibus/conformance-tests';
import { type RunningKafka, startKafka } from '@omnibus/test-brokers';
import { KafkaTransport } from '../src/transport.js';
import { contents } from './support/contents.js';
import {
  openTransport,
  publish,
  record,
  records,
  sharedBrokers,
  Told,
  testOptions,
  uniqueName,
  until,
} from './support/kafka.js';

const opened: KafkaTransport[] = [];

async function open(options: Parameters<typeof openTransport>[0] = {}): ReturnType<typeof openTransport> {
  const result = await openTransport({ partitions: 3, ...options });
  opened.push(result.transport);
  return result;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
});

describe('publishing', () => {
  test('a record that is too large is refused alone; the others of its partition are stored in order', async () => {
    const { transport } = await open();
    await publish(transport, [record(2, 'first')]);
    const sent = [record(0, 'a'), record(0, 'x'.repeat(1_100_000)), record(0, 'b'), record(1, 'c')];
    const { failures } = await transport.send(sent);
    expect(failures.map(({ index, error }) => [index, error.code, error.retryable])).toEqual([
      [1, 'PAYLOAD_TOO_LARGE', false],
    ]);
    expect(Object.fromEntries(await contents(transport))).toEqual({ 0: ['a', 'b'], 1: ['c'], 2: ['first'] });
  });

  test.each(['none', 'gzip'] as const)(
    'what is compressed with %s is read as it was written',
    async (compression) => {
      const { transport } = await open({ compression });
      await publish(transport, [...records(0, 500), ...records(2, 500)]);
      const stored = await contents(transport);
      expect(stored.get(0)).toEqual(records(0, 500).map(({ value }) => Buffer.from(value).toString()));
      expect(stored.get(2)).toHaveLength(500);
    },
  );

  test('bytes that are no Buffer, keys that are missing and headers without a value arrive as what they are', async () => {
    const { transport } = await open();
    const headers = {
      text: 'ä',
      bytes: new Uint8Array([1, 2, 255]),
      many: ['a', new Uint8Array([3])],
      missing: undefined,
    };
    await publish(transport, [
      record(0, '', { key: undefined, value: new Uint8Array([0, 128, 255]), headers }),
    ]);
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    await until('the record', () => sink.delivered.length === 1);
    const [delivered] = sink.delivered;
    expect(delivered?.record.key).toBeUndefined();
    expect([...(delivered?.record.value ?? [])]).toEqual([0, 128, 255]);
    expect(delivered?.record.headers).toEqual({
      text: Buffer.from('ä'),
      bytes: Buffer.from([1, 2, 255]),
      many: [Buffer.from('a'), Buffer.from([3])],
    });
  });

  test('without idempotence everything is stored in order just the same', async () => {
    const { transport } = await open({ idempotent: false });
    for (let i = 0; i < 5; i += 1) await publish(transport, records(1, 10, i * 10));
    expect((await contents(transport)).get(1)).toEqual(
      records(1, 50).map(({ value }) => Buffer.from(value).toString()),
    );
  });
});

describe('publishing through a failing network', () => {
  let proxy: TcpProxy;
  let kafka: RunningKafka;

  beforeAll(async () => {
    let target = { host: '127.0.0.1', port: 0 };
    proxy = await TcpProxy.start({ target: () => target });
    kafka = await startKafka({
      advertise: ({ host, port, listener }) => {
        if (listener !== 'CLIENT') return `${host}:${port}`;
        target = { host, port };
        return `${proxy.host}:${proxy.port}`;
      },
    });
  }, 60_000);
  afterAll(async () => {
    await kafka?.stop();
    await proxy?.close();
  });
  afterEach(async () => {
    await proxy.heal();
  });

  test('what is sent again after lost answers is stored once, and in order', async () => {
    const { transport, told } = await open({ brokers: kafka.brokers });
    let next = 0;
    let lostAnswers = 0;
    let unsent: ReturnType<typeof records> = [];
    const cutting = setInterval(() => void proxy.cut(), 30);
    while (lostAnswers < 15) {
      const sent = [...unsent, ...[0, 1, 2].flatMap((partition) => records(partition, 5, next))];
      next += 5;
      const { failures } = await transport.send(sent);
      expect(failures.filter(({ error }) => !error.retryable)).toEqual([]);
      if (failures.length > 0) lostAnswers += 1;
      unsent = failures.map(({ index }) => sent[index] as ReturnType<typeof record>);
    }
    clearInterval(cutting);
    await proxy.heal();
    await publish(transport, unsent);
    const stored = await contents(transport);
    for (const partition of [0, 1, 2])
      expect(stored.get(partition)).toEqual(
        records(partition, next).map(({ value }) => Buffer.from(value).toString()),
      );
    await until('it to be connected', () => told.disconnections.length === told.reconnections);
  });

  test('a frozen broker delays a publish, loses nothing and is told once', async () => {
    const { transport, told } = await open({
      brokers: kafka.brokers,
      requestTimeoutMs: 1_000,
      maxWaitTimeMs: 100,
    });
    await publish(transport, records(0, 3));
    await kafka.pause();
    const sending = publish(transport, records(0, 3, 3));
    await until('the outage to be told', () => told.disconnections.length === 1);
    await kafka.resume();
    await sending;
    await until('the end of it to be told', () => told.reconnections === 1);
    expect((await contents(transport)).get(0)).toEqual(
      records(0, 6).map(({ value }) => Buffer.from(value).toString()),
    );
    expect(told.disconnections).toHaveLength(1);
  });

  test('an idle connection that is cut is made again without a word', async () => {
    const { transport, told } = await open({ brokers: kafka.brokers });
    await publish(transport, records(0, 1));
    const accepted = proxy.accepted;
    await proxy.cut();
    await until('a new connection', () => proxy.accepted > accepted);
    expect(await transport.send(records(0, 1, 1))).toEqual({ failures: [] });
    expect(told.disconnections).toEqual([]);
  });

  test('an outage is told once while nothing is published, and so is its end', async () => {
    const { told } = await open({ brokers: kafka.brokers });
    await proxy.refuse();
    await proxy.cut();
    await until('the outage to be told', () => told.disconnections.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(told.disconnections).toHaveLength(1);
    await proxy.heal();
    await until('the end of it to be told', () => told.reconnections > 0);
    expect([told.disconnections.length, told.reconnections]).toEqual([1, 1]);
  });

  test('events that were given up are not overtaken by wrong sequence numbers: later ones are stored', async () => {
    const { transport } = await open({ brokers: kafka.brokers, requestTimeoutMs: 500, maxWaitTimeMs: 100 });
    await publish(transport, records(0, 3));
    await kafka.pause();
    const { failures } = await transport.send(records(0, 3, 3));
    expect(failures.map(({ error }) => error.retryable)).toEqual([true, true, true]);
    await kafka.resume();
    // The sender gives up on 3, 4 and 5, and sends others.
    await publish(transport, records(0, 3, 6));
    const stored = (await contents(transport)).get(0) ?? [];
    expect(stored.filter((value) => Number(value.slice(2)) < 3 || Number(value.slice(2)) > 5)).toEqual([
      '0/0',
      '0/1',
      '0/2',
      '0/6',
      '0/7',
      '0/8',
    ]);
  });

  test('a broker that is restarted is published to again, without a loss and in order', async () => {
    const { transport } = await open({ brokers: kafka.brokers });
    await publish(transport, records(0, 10));
    await kafka.kill();
    const sending = publish(transport, records(0, 10, 10));
    await kafka.start();
    await sending;
    await publish(transport, records(0, 10, 20));
    expect((await contents(transport)).get(0)).toEqual(
      records(0, 30).map(({ value }) => Buffer.from(value).toString()),
    );
  }, 60_000);
});

describe('connecting', () => {
  test('a broker that is not there is a CONNECT error within the time for connecting', async () => {
    const transport = new KafkaTransport(testOptions({ brokers: '127.0.0.1:1' }));
    await expect(transport.open(new Told())).rejects.toMatchObject({ code: 'CONNECT', retryable: true });
    await transport.close();
  });

  test('a transport that could not open opens when it is asked again', async () => {
    const proxy = await TcpProxy.start({
      target: { host: '127.0.0.1', port: Number(sharedBrokers()[0]?.split(':')[1]) },
    });
    await proxy.refuse();
    const transport = new KafkaTransport(testOptions({ brokers: `127.0.0.1:${proxy.port}` }));
    opened.push(transport);
    await expect(transport.open(new Told())).rejects.toMatchObject({ retryable: true });
    await proxy.heal();
    await transport.open(new Told());
    expect(transport.partitions).toBe(8);
    await proxy.close();
  });
});
