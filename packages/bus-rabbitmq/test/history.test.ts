import { record, sendAll, uniqueName } from '@omnibus/conformance-tests';
import { createEvent } from '@omnibus/core';
import { RabbitMQEventBus } from '../src/index.js';
import { group, historyOf, Opener, sharedUrls } from './support/rabbitmq.js';

const opener = new Opener();
afterEach(() => opener.close());

describe('history', () => {
  test('keeps everything, also without a group, and is read from the beginning, a position or a time', async () => {
    const { transport } = await opener.open({ history: true });
    const sent = [0, 1, 2, 3, 4, 5].map((n) => ({
      ...record(n % 2, `value ${n}`),
      timestampMs: 1_000 * (n + 1),
    }));
    await sendAll(transport, sent);
    expect((await historyOf(transport)).toSorted()).toEqual(sent.map(({ value }) => String(value)));
    const position = String(sent[2]?.event.eventId);
    expect(await historyOf(transport, { kind: 'positions', positions: { 0: position } })).toEqual([
      'value 2',
      'value 4',
    ]);
    const until = {
      kind: 'positions',
      positions: { 0: position, 1: String(sent[3]?.event.eventId) },
    } as const;
    expect((await historyOf(transport, undefined, until)).toSorted()).toEqual(['value 0', 'value 1']);
    expect(
      (
        await historyOf(transport, { kind: 'time', timeMs: 2_000 }, { kind: 'time', timeMs: 5_000 })
      ).toSorted(),
    ).toEqual(['value 1', 'value 2', 'value 3']);
  });

  test('ends at what was there when it was asked for, and touches no group', async () => {
    const { transport } = await opener.open({ history: true });
    const name = uniqueName();
    await transport.ensureGroup(group(name));
    await sendAll(transport, [record(0, 'before')]);
    const range = await transport.history.open({
      from: { kind: 'beginning' },
      until: { kind: 'now' },
      signal: undefined,
    });
    await sendAll(transport, [record(0, 'after')]);
    const found: string[] = [];
    for await (const { records } of range.batches) found.push(...records.map(({ value }) => String(value)));
    expect(found).toEqual(['before']);
    expect((await transport.lag(name))[0]).toEqual({ partition: 0, lag: 2 });
  });

  test('without the option a replay says how to turn it on', async () => {
    const bus = new RabbitMQEventBus({ urls: sharedUrls(), exchange: uniqueName() });
    try {
      await bus.publish(createEvent({ eventType: 'T', aggregateType: 'A', aggregateId: 'a', data: {} }));
      await expect(bus.replay({ from: 'beginning', handler: () => undefined })).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('history: true') as string,
      });
    } finally {
      await bus.shutdown();
    }
  });
});
