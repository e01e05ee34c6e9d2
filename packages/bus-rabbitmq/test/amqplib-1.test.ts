import { consumeSpec, RecordingSink, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import amqplib from 'amqplib';
import { historyOf, Opener, sharedUrls, until, values } from './support/rabbitmq.js';

// The older of the two major versions that the package is made for; all other tests run with the newer one.
jest.mock('amqplib', () => jest.requireActual<object>('amqplib-1'));

const opener = new Opener();
afterEach(() => opener.close());

describe('amqplib 1', () => {
  test('publishes, consumes, lists and replays, on a given connection that it leaves open', async () => {
    const connection = await amqplib.connect(sharedUrls()[0] ?? '', { noDelay: true });
    try {
      const { transport, told } = await opener.open({ connection, partitions: 2, history: true });
      const group = uniqueName();
      const sink = new RecordingSink('sink', false);
      const consumption = await transport.consume(consumeSpec(group), sink);
      await sendAll(transport, records(1, 20));
      await until('twenty records', () => sink.delivered.length === 20);
      const { port, delivered } = sink.current(1);
      await port.deadLetter(delivered[0] as never, records(1, 1)[0] as never);
      sink.current(1).settle(10);
      await port.flush();
      expect((await transport.lag(group)).map(({ lag }) => lag)).toEqual([0, 10]);
      const letters: string[] = [];
      for await (const page of transport.deadLetters.read({ group, after: undefined, pageSize: 10 }))
        letters.push(...page.map(({ record }) => String(record.value)));
      expect(letters).toEqual(['1/0']);
      expect(await historyOf(transport)).toEqual(values(1, 20));
      await consumption.stop(1_000);
      expect(told.errors).toEqual([]);
      await transport.close();
      await (await connection.createChannel()).close();
    } finally {
      await connection.close();
    }
  });
});
