import { consumeSpec, RecordingSink, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import { Redis } from 'ioredis';
import { Opener, sharedUrl, until } from './support/redis.js';

// The newer of the two major versions that the package is made for; all other tests run with the older one.
jest.mock('ioredis', () => jest.requireActual<object>('ioredis-6'));

const opener = new Opener();
afterEach(() => opener.close());

describe('ioredis 6', () => {
  test.each(['legacy', 'resp3'])(
    'publishes, consumes and lists, on a given client that maps replies as %s',
    async (replyMapping) => {
      const given = new Redis(sharedUrl(), { replyMapping } as object);
      try {
        const { transport, told } = await opener.open({ redis: given, partitions: 2 });
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
        const { batches } = await transport.history.open({
          from: { kind: 'beginning' },
          until: { kind: 'now' },
          signal: undefined,
        });
        let read = 0;
        for await (const batch of batches) read += batch.records.length;
        expect(read).toBe(20);
        await consumption.stop(1_000);
        expect(told.errors).toEqual([]);
        expect(await given.ping()).toBe('PONG');
      } finally {
        given.disconnect();
      }
    },
  );
});
