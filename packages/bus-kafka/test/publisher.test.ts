import { KafkaClient } from '../src/client.js';
import { compressionType } from '../src/compression.js';
import { outcomeOf } from '../src/produce-outcome.js';
import type { ProducerSession } from '../src/producer-session.js';
import { Publisher } from '../src/publisher.js';
import { produce } from '../src/record-requests.js';
import { TopicView } from '../src/topic-view.js';
import type { KafkaTransport } from '../src/transport.js';
import { contents } from './support/contents.js';
import { openTransport, records } from './support/kafka.js';

const settings = { idempotent: true, compression: compressionType('none'), requestTimeoutMs: 30_000 };
let transport: KafkaTransport;
let client: KafkaClient;
let view: TopicView;
let publisher: Publisher;

beforeEach(async () => {
  const opened = await openTransport({ partitions: 2 });
  transport = opened.transport;
  client = new KafkaClient(opened.settings, 'publisher-test');
  await client.connect();
  view = new TopicView(client.cluster, transport.destination);
  const nothing = (): void => undefined;
  publisher = new Publisher(client.cluster, view, settings, {
    works: nothing,
    unreachable: nothing,
    topicMissing: nothing,
  });
});
afterEach(async () => {
  await client.close();
  await transport.close();
});

function session(): ProducerSession {
  return Reflect.get(publisher, 'session') as ProducerSession;
}

const stored = async (partition: number): Promise<string[] | undefined> =>
  (await contents(transport)).get(partition);
const numbers = (partition: number, ...all: number[]): string[] => all.map((n) => `${partition}/${n}`);

describe('sequence numbers', () => {
  test('what was given up is not stored when it arrives at last, behind what was sent after it', async () => {
    await publisher.send(records(0, 3));
    const { producerId } = session();
    const late = { partition: 0, indexes: [0, 1, 2], records: records(0, 3, 3) };
    const epoch = session().epochOf(0);
    const firstSequence = session().sequenceOf(0);
    session().unknown(late);
    expect((await publisher.send(records(0, 3, 6))).size).toBe(0);
    const [answer] = await produce(await view.leaderOf(0), {
      topic: view.topic,
      partitions: [{ partition: 0, firstSequence, producerEpoch: epoch, records: late.records }],
      producerId,
      compression: 0,
      timeoutMs: 5_000,
    });
    expect(outcomeOf(answer?.errorCode, view.topic).kind).toBe('session-ended');
    expect(await stored(0)).toEqual(numbers(0, 0, 1, 2, 6, 7, 8));
    expect((await publisher.send(records(0, 1, 9))).size).toBe(0);
    expect(await stored(0)).toEqual(numbers(0, 0, 1, 2, 6, 7, 8, 9));
  });

  test('a partition that is out of sequence begins anew, and nothing of the others is sent twice or lost', async () => {
    await publisher.send([...records(0, 2), ...records(1, 2)]);
    const repeated = records(0, 2, 2);
    // Stored, but the answer was lost.
    await publisher.send(repeated);
    session().unknown({ partition: 0, indexes: [0, 1], records: repeated });
    Reflect.get(session(), 'next').set(0, 2);
    Reflect.get(session(), 'next').set(1, 77);
    const batch = [...repeated, ...records(0, 1, 4), ...records(1, 1, 2)];
    const failures = await publisher.send(batch);
    expect([...failures.keys()]).toEqual([3]);
    expect(failures.get(3)?.retryable).toBe(true);
    expect((await publisher.send(batch.slice(3))).size).toBe(0);
    expect(await stored(0)).toEqual(numbers(0, 0, 1, 2, 3, 4));
    expect(await stored(1)).toEqual(numbers(1, 0, 1, 2));
  });

  test('an epoch has an end, after which the producer gets another id', async () => {
    await publisher.send(records(0, 1));
    const first = session();
    Reflect.get(first, 'restarts').set(0, 32_767);
    first.unknown({ partition: 0, indexes: [0], records: records(0, 1, 1) });
    expect((await publisher.send(records(0, 1, 2))).size).toBe(0);
    expect(session().producerId).not.toBe(first.producerId);
    expect(await stored(0)).toEqual(numbers(0, 0, 2));
  });
});

describe('what the answer for a partition means', () => {
  test.each([
    // The leader may have had it in its log already when it ceased to lead.
    [6, 'unknown', true],
    [56, 'unknown', true],
    [7, 'unknown', true],
    [20, 'unknown', true],
    // Refused before it was written.
    [19, 'refused', true],
    [3, 'refused', true],
    [29, 'refused', false],
    [87, 'refused', false],
    [45, 'out-of-sequence', true],
    [59, 'out-of-sequence', true],
    [47, 'session-ended', true],
    [46, 'stored', undefined],
    [10, 'too-large', false],
    [undefined, 'unknown', true],
  ])('code %p: %s, to be tried again: %p', (code, kind, retryable) => {
    const outcome = outcomeOf(code, 'events.stream');
    expect(outcome.kind).toBe(kind);
    expect(outcome.kind === 'stored' ? undefined : outcome.error.retryable).toBe(retryable);
  });
});
