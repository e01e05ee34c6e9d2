import { consumeSpec, RecordingSink, record, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import type { RabbitMQTransport } from '../src/transport.js';
import { type Opened, Opener, until, values } from './support/rabbitmq.js';

const opener = new Opener();
const open = (): Promise<Opened> => opener.open();
const sibling = (first: Opened): Promise<Opened> => opener.sibling(first);

afterEach(() => opener.close());

describe('consuming', () => {
  test('delivers every record once, in the order of its partition, as it was published', async () => {
    const { transport } = await open();
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    const sent = [0, 1, 2, 3].flatMap((partition) => records(partition, 50));
    await sendAll(transport, sent);
    await until('all records', () => sink.delivered.length >= sent.length);
    for (const partition of [0, 1, 2, 3]) expect(sink.values(partition)).toEqual(values(partition, 50));
    const [first] = sink.delivered.filter(({ partition }) => partition === 2);
    expect(first?.record).toMatchObject({ key: 'key-2', position: '2/0', redelivered: false });
    expect(first?.record.headers.event_id).toBe('2/0');
    expect(first?.record.timestampMs).toBe(sent[100]?.timestampMs);
  });

  test.each(['quorum', 'classic'] as const)(
    'order survives closes in a row with hundreds unacknowledged: %s',
    async (queueType) => {
      const first = await opener.open({ queueType });
      const name = uniqueName();
      await first.transport.ensureGroup({ name, startFrom: 'earliest', ephemeral: false });
      await sendAll(first.transport, records(1, 600));
      for (let close = 1; close <= 5; close += 1) {
        const { transport } = await sibling(first);
        const sink = new RecordingSink(`close ${close}`, false);
        await transport.consume(consumeSpec(name), sink);
        // As many as the window holds.
        await until('a window of records', () => sink.delivered.length >= 256);
        expect(sink.values(1)).toEqual(values(1, sink.delivered.length));
        await transport.close();
      }
      const { transport } = await sibling(first);
      const sink = new RecordingSink('last');
      await transport.consume(consumeSpec(name), sink);
      await until('all records', () => sink.delivered.length >= 600);
      expect(sink.values(1)).toEqual(values(1, 600));
    },
  );

  test('a second process goes on where the first was settled, also behind a gap', async () => {
    const first = await open();
    const name = uniqueName();
    const before = new RecordingSink('before', false);
    const consumption = await first.transport.consume(consumeSpec(name), before);
    await sendAll(first.transport, records(1, 10));
    await until('ten records', () => before.delivered.length === 10);
    const { port, delivered } = before.current(1);
    const settled = [delivered[0], delivered[1], delivered[4]].filter((each) => each !== undefined);
    port.settled({ records: settled, watermark: settled[1], journal: '' });
    await port.flush();
    await consumption.stop(1_000);
    const second = await sibling(first);
    const after = new RecordingSink('after');
    await second.transport.consume(consumeSpec(name), after);
    await until('the other seven', () => after.delivered.length >= 7);
    expect(after.values()).toEqual([2, 3, 5, 6, 7, 8, 9].map((n) => `1/${n}`));
  });

  test('a late settlement reaches no channel that did not deliver', async () => {
    const first = await open();
    const name = uniqueName();
    const sink = new RecordingSink('late', false);
    const consumption = await first.transport.consume(consumeSpec(name), sink);
    await sendAll(first.transport, records(1, 3));
    await until('three records', () => sink.delivered.length === 3);
    const { port, delivered } = sink.current(1);
    await consumption.stop(1_000);
    port.settled({ records: delivered, watermark: delivered[2], journal: '' });
    await expect(port.flush()).rejects.toMatchObject({ code: 'FENCED' });
    expect(first.told.fencedCount).toBe(3);
    const again = new RecordingSink('again');
    await (await sibling(first)).transport.consume(consumeSpec(name), again);
    await until('all three again', () => again.delivered.length === 3);
    expect(again.delivered.every(({ record: { redelivered } }) => redelivered)).toBe(true);
  });

  test('journals of all partitions are there at the take-over, before anything is handed on', async () => {
    const first = await open();
    const name = uniqueName();
    const before = new RecordingSink('before');
    const consumption = await first.transport.consume(consumeSpec(name), before);
    await sendAll(first.transport, [record(0, 'a'), record(3, 'b')]);
    await until('both open', () => before.assignments.filter(({ journals }) => journals).length === 2);
    await until('both saved', () => before.delivered.length === 2);
    await before.current(3).port.saveJournal('{"o":"me"}');
    await consumption.stop(1_000);
    const after = new RecordingSink('after');
    await (await sibling(first)).transport.consume(consumeSpec(name), after);
    await sendAll(first.transport, [record(0, 'c')]);
    await until('the third', () => after.delivered.length === 1);
    expect(after.current(0).journals?.get(0)).toBe('clean:before');
    expect(after.current(0).journals?.get(3)).toBe('clean:before');
  });

  test('a join moves partitions in order: what runs is waited for, and nothing overlaps', async () => {
    const first = await open();
    const name = uniqueName();
    const one = new RecordingSink('one');
    await first.transport.consume(consumeSpec(name), one);
    const publishing = (async () => {
      for (let n = 0; n < 60; n += 1)
        await sendAll(
          first.transport,
          [0, 1, 2, 3].map((p) => record(p, `${p}/${n}`)),
        );
    })();
    await until('some records', () => one.delivered.length > 20);
    const second = await sibling(first);
    const two = new RecordingSink('two');
    await second.transport.consume(consumeSpec(name), two);
    await publishing;
    await until(
      'both to have a share',
      () => first.told.ownerships.at(-1)?.length === 2 && second.told.ownerships.at(-1)?.length === 2,
    );
    await sendAll(
      first.transport,
      [0, 1, 2, 3].map((p) => record(p, `${p}/60`)),
    );
    for (const partition of [0, 1, 2, 3]) {
      await until(`the last of partition ${partition}`, () =>
        [one, two].some((sink) => sink.values(partition).includes(`${partition}/60`)),
      );
      const moved = two.values(partition);
      const stayed = one.values(partition).filter((value) => !moved.includes(value));
      expect([...stayed, ...moved]).toEqual(values(partition, 61));
    }
  });

  test('the lag counts what waits and what members hold, whoever asks', async () => {
    const first = await open();
    const name = uniqueName();
    const sink = new RecordingSink('holding', false);
    await first.transport.consume(consumeSpec(name), sink);
    await sendAll(first.transport, records(1, 300));
    await until('a window', () => sink.delivered.length === 256);
    const outside = await sibling(first);
    const lagOf = async (transport: RabbitMQTransport): Promise<number[]> =>
      (await transport.lag(name)).map(({ lag }) => lag);
    expect(await lagOf(first.transport)).toEqual([0, 300, 0, 0]);
    expect(await lagOf(outside.transport)).toEqual([0, 300, 0, 0]);
    sink.current(1).settle(100);
    await sink.current(1).port.flush();
    await until('a lag of 200', async () => (await lagOf(outside.transport))[1] === 200);
  });

  test('a process that stood still owns nothing any more, before any timer says so, and joins again', async () => {
    const { transport, told } = await opener.open({ heartbeatMs: 1_000 });
    const sink = new RecordingSink('frozen', false);
    await transport.consume(consumeSpec(uniqueName()), sink);
    await sendAll(transport, records(1, 3));
    await until('three records', () => sink.delivered.length === 3);
    const before = sink.current(1);
    expect(before.port.isOwned).toBe(true);
    // Two heartbeats, after which the broker may give up the connection, and a little more.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_200);
    expect(before.port.isOwned).toBe(false);
    await until('the loss to be told', () => before.isLost);
    expect(before.port.isOwned).toBe(false);
    await until('the same records again', () => sink.delivered.length === 6);
    expect(sink.values(1)).toEqual([...values(1, 3), ...values(1, 3)]);
    expect(told.disconnections.length).toBeGreaterThan(0);
    await until('it to be connected again', () => told.reconnections > 0);
  });
});
