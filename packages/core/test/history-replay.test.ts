import { jsonCodec } from '../src/codec.js';
import { defineEvent } from '../src/define-event.js';
import { textHeaders } from '../src/envelope.js';
import { createEvent, type DomainEvent, type EventDefinition } from '../src/event.js';
import type { HandlerContext, ReplayOptions } from '../src/event-bus.js';
import { type HistoryReplay, replayHistory } from '../src/history-replay.js';
import type { StandardSchema } from '../src/standard-schema.js';
import { createTracing } from '../src/tracing.js';
import type { HistoryQuery, HistoryReader, InboundHeaders, InboundRecord } from '../src/transport.js';
import { registerSdk, TRACING, unregisterSdk } from './otel-sdk.js';

afterEach(unregisterSdk);

function happened(eventId: string, changes: Partial<DomainEvent> = {}): DomainEvent {
  return createEvent({
    eventId,
    eventType: 'OrderPlaced',
    aggregateId: 'order-1',
    aggregateType: 'Order',
    correlationId: 'request-1',
    data: {},
    ...changes,
  });
}

function recordOf(value: DomainEvent | string, headers: InboundHeaders = {}): InboundRecord {
  return {
    key: 'order-1',
    value: typeof value === 'string' ? Buffer.from(value) : jsonCodec.encode(value),
    headers,
    position: '7',
    timestampMs: 1,
    redelivered: false,
  };
}

interface History extends HistoryReader {
  readonly queries: HistoryQuery[];
  /** Readers that were opened and not ended. */
  openReaders: number;
}

function historyOf(records: readonly InboundRecord[], truncated = false): History {
  const history: History = {
    queries: [],
    openReaders: 0,
    async open(query) {
      history.queries.push(query);
      async function* batches(): AsyncGenerator<{ partition: number; records: readonly InboundRecord[] }> {
        history.openReaders++;
        try {
          for (const record of records) yield { partition: 3, records: [record] };
        } finally {
          history.openReaders--;
        }
      }
      return { truncated, batches: batches() };
    },
  };
  return history;
}

const published: DomainEvent[] = [];

function replay(
  history: HistoryReader | undefined,
  options: Partial<ReplayOptions>,
  more: Partial<HistoryReplay> = {},
): ReturnType<typeof replayHistory> {
  return replayHistory({
    history,
    transportName: 'memory',
    destination: 'orders.stream',
    sharedReplays: true,
    group: 'billing',
    codec: jsonCodec,
    maxEventBytes: 10_000,
    definitionFor: () => undefined,
    services: {
      textHeaders: (record) => textHeaders(record.headers),
      publish: async (events) => {
        published.push(...(Array.isArray(events) ? events : [events as DomainEvent]));
      },
    },
    tracing: createTracing({ ...TRACING, enabled: false }),
    options: { from: 'beginning', handler: () => undefined, ...options },
    ...more,
  });
}

const schema: StandardSchema<unknown, { total: string }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) =>
      (value as { total?: number }).total === 1
        ? { value: { total: 'one' } }
        : { issues: [{ message: 'must be 1' }] },
  },
};
const totalOfOne = defineEvent('OrderPlaced', { schema }) as unknown as EventDefinition;

describe('replayHistory', () => {
  it('gives the events in order, one after the other, flagged as replay', async () => {
    const seen: string[] = [];
    let running = 0;
    const contexts: HandlerContext[] = [];
    const report = await replay(
      historyOf(['a', 'b', 'c'].map((id) => recordOf(happened(id), { h: Buffer.from('x') }))),
      {
        handler: async (event, context) => {
          expect(++running).toBe(1);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          seen.push(event.eventId);
          contexts.push(context);
        },
      },
    );
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(report).toEqual({ events: 3, unreadable: 0, truncated: false });
    const [context] = contexts;
    expect(context).toMatchObject({
      replay: true,
      attempt: 1,
      group: 'billing',
      partition: 3,
      position: '7',
      redelivered: false,
    });
    expect(context?.headers).toEqual({ h: 'x' });
    expect(context?.signal.aborted).toBe(false);
  });

  it('takes a handler object, and lets it publish what an event causes', async () => {
    const handler = {
      handle: (_: DomainEvent, context: HandlerContext) =>
        context.publish({ ...happened('b'), correlationId: 'own' }),
    };
    await replay(historyOf([recordOf(happened('a'))]), { handler });
    expect(published.splice(0)).toMatchObject([{ eventId: 'b', causationId: 'a', correlationId: 'own' }]);
  });

  it.each<[string, Partial<ReplayOptions>, Partial<HistoryQuery>]>([
    ['from the beginning to now', {}, { from: { kind: 'beginning' }, until: { kind: 'now' } }],
    [
      'between times',
      { from: new Date(5), until: new Date(9) },
      { from: { kind: 'time', timeMs: 5 }, until: { kind: 'time', timeMs: 9 } },
    ],
    [
      'between positions',
      { from: { positions: { 0: '4' } }, until: { positions: { 0: '8' } } },
      {
        from: { kind: 'positions', positions: { 0: '4' } },
        until: { kind: 'positions', positions: { 0: '8' } },
      },
    ],
  ])('asks for the range %s', async (_, options, query) => {
    const history = historyOf([]);
    await replay(history, options);
    expect(history.queries).toEqual([{ ...query, signal: undefined }]);
  });

  it('passes only the types that are asked for', async () => {
    const seen: string[] = [];
    const records = [recordOf(happened('a')), recordOf(happened('b', { eventType: 'OrderPaid' }))];
    const report = await replay(historyOf(records), {
      types: ['OrderPaid'],
      handler: (event) => void seen.push(event.eventId),
    });
    expect(seen).toEqual(['b']);
    expect(report).toEqual({ events: 1, unreadable: 0, truncated: false });
  });

  it('counts what cannot be read and goes on', async () => {
    const records = [
      recordOf('not JSON'),
      { ...recordOf(''), value: null },
      recordOf('x'.repeat(20_000)),
      recordOf(happened('a')),
    ];
    expect(await replay(historyOf(records), {})).toEqual({ events: 1, unreadable: 3, truncated: false });
  });

  it.each<[string, Partial<ReplayOptions>, Partial<HistoryReplay>]>([
    ['given in the call', { types: [totalOfOne] }, {}],
    ['known to the bus', {}, { definitionFor: () => totalOfOne }],
  ])('validates by a definition %s', async (_, options, more) => {
    const seen: unknown[] = [];
    const records = [
      recordOf(happened('a', { data: { total: 1 } })),
      recordOf(happened('b', { data: { total: 2 } })),
    ];
    const report = await replay(
      historyOf(records),
      { ...options, handler: (event) => void seen.push(event.data) },
      more,
    );
    expect(seen).toEqual([{ total: 'one' }]);
    expect(report).toEqual({ events: 1, unreadable: 1, truncated: false });
  });

  it('leaves out the copies that were given back to one group', async () => {
    const records = [
      recordOf(happened('a')),
      recordOf(happened('a'), { target_group: Buffer.from('billing'), dlq_replay_count: '1' }),
    ];
    expect(await replay(historyOf(records), {})).toMatchObject({ events: 1, unreadable: 0 });
    // Where those are nobody else's, what says so is an event like any other.
    expect(await replay(historyOf(records), {}, { sharedReplays: false })).toMatchObject({ events: 2 });
  });

  it('tells that the range begins before what is kept', async () => {
    expect(await replay(historyOf([], true), {})).toEqual({ events: 0, unreadable: 0, truncated: true });
  });

  it('ends with what the handler threw, and reads no further', async () => {
    const boom = new TypeError('boom');
    const seen: string[] = [];
    const history = historyOf([recordOf(happened('a')), recordOf(happened('b')), recordOf(happened('c'))]);
    const handler = (event: DomainEvent): void => {
      seen.push(event.eventId);
      if (event.eventId === 'b') throw boom;
    };
    await expect(replay(history, { handler })).rejects.toBe(boom);
    expect(seen).toEqual(['a', 'b']);
    expect(history.openReaders).toBe(0);
  });

  it('ends when the signal aborts: for the running handler at once, and before the next event', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const seen: string[] = [];
    const history = historyOf([recordOf(happened('a')), recordOf(happened('b'))]);
    const handler = async (event: DomainEvent, context: HandlerContext): Promise<void> => {
      seen.push(event.eventId);
      const told = new Promise((resolve) =>
        context.signal.addEventListener('abort', () => resolve(context.signal.reason)),
      );
      abort.abort(reason);
      expect(await told).toBe(reason);
    };
    await expect(replay(history, { handler, signal: abort.signal })).rejects.toBe(reason);
    expect(seen).toEqual(['a']);
    expect(history.openReaders).toBe(0);
    expect(history.queries[0]?.signal).toBe(abort.signal);
  });

  it('does not call a range complete that the signal cut short', async () => {
    const abort = new AbortController();
    const history: HistoryReader = {
      async open() {
        async function* batches(): AsyncGenerator<{ partition: number; records: readonly InboundRecord[] }> {
          yield { partition: 0, records: [] };
          abort.abort(new Error('enough'));
        }
        return { truncated: false, batches: batches() };
      },
    };
    await expect(replay(history, { signal: abort.signal })).rejects.toThrow('enough');
  });

  it('does not begin when the signal has aborted', async () => {
    const history = historyOf([]);
    await expect(replay(history, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
    expect(history.queries).toEqual([]);
  });

  it('is unsupported where there is no history', async () => {
    await expect(replay(undefined, {})).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('traces each event as a replay, and its failure', async () => {
    const sdk = registerSdk();
    const tracing = createTracing(TRACING);
    const handler = (): void => {
      throw new Error('boom');
    };
    await expect(replay(historyOf([recordOf(happened('a'))]), { handler }, { tracing })).rejects.toThrow(
      'boom',
    );
    const { attributes, events } = sdk.span('process orders.stream');
    expect(attributes).toMatchObject({ 'omnibus.delivery.replay': true, 'messaging.message.id': 'a' });
    expect(events[0]?.attributes).toMatchObject({ 'omnibus.handler.name': 'handler' });
  });
});
