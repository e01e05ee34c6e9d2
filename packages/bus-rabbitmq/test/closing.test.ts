import { type RunningRabbitMQ, startRabbitMQ } from '@omnibus/test-brokers';
import type { Channel } from 'amqplib';
import { closeChannel, type OpenConnection, RabbitMQClient } from '../src/client.js';
import { PartitionSlot, type SlotHost } from '../src/partition-slot.js';
import { testOptions } from './support/rabbitmq.js';

/** One in fifty of such closes is not confirmed by RabbitMQ 3.10. */
const ROUNDS = 60;
const CHANNELS = 16;
const STILL_MS = 5;
const TIMEOUT_MS = 2_000;

let rabbitmq: RunningRabbitMQ;
let open: OpenConnection;

beforeAll(async () => {
  rabbitmq = await startRabbitMQ();
}, 120_000);
afterAll(() => rabbitmq.stop());

beforeEach(async () => {
  // No heartbeat ends what this is about.
  const client = new RabbitMQClient(testOptions({ urls: rabbitmq.urls, heartbeatMs: 600_000 }));
  open = await client.connect('closing', new AbortController().signal);
  open.model.on('error', () => undefined);
});
afterEach(() => open.close());

/** Reads nothing meanwhile: what the broker says lies there afterwards, unread. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STILL_MS);
}

/** The broker closes it, and so does this process before it hears of that. Resolves to what came of it. */
async function closeFromBothSides(channel: Channel): Promise<string> {
  let isGone = false;
  channel
    .on('error', () => undefined)
    .once('close', () => {
      isGone = true;
    });
  const answer = channel
    .consume('no-such-queue', () => undefined)
    .then(
      () => 'consumes',
      () => 'refused',
    );
  // It leaves at the end of this turn of the event loop, right before this goes on.
  await new Promise((resolve) => process.nextTick(() => setImmediate(resolve)));
  standStill();
  await closeChannel(channel, TIMEOUT_MS);
  return isGone ? answer : 'never closed';
}

test('a channel that both sides close at once is closed, and nobody waits for its answers', async () => {
  const { model } = open;
  for (let round = 0; round < ROUNDS; round += 1) {
    const channels = await Promise.all(Array.from({ length: CHANNELS }, () => model.createChannel()));
    const closed = await Promise.all(channels.map(closeFromBothSides));
    expect(closed).toEqual(Array(CHANNELS).fill('refused'));
  }
});

test('a partition is given up in time though the broker never answers the subscription', async () => {
  const nobody = (): never => {
    throw new Error('nothing is delivered here');
  };
  const host: SlotHost = {
    sink: { assign: nobody },
    requestTimeoutMs: 600_000,
    handOverTimeoutMs: 600_000,
    model: () => open.model,
    journals: nobody,
    changed: () => undefined,
    queueMissing: nobody,
    troubled: () => undefined,
    failed: () => undefined,
    isInTouch: () => true,
    saveJournal: nobody,
    writeDeadLetter: nobody,
    fenced: nobody,
  };
  const stopping = new AbortController();
  const slot = new PartitionSlot(0, 'no-such-queue', host, stopping.signal);
  const node = rabbitmq.node(0);
  await node.pause();
  try {
    const subscribing = slot.follow({ subscribe: true, yieldTo: undefined, behind: '' });
    await new Promise((resolve) => setImmediate(resolve));
    stopping.abort();
    await slot.stop(0, 100);
    await open.close();
    await subscribing;
    expect(slot.isSubscribed).toBe(false);
  } finally {
    await node.resume();
  }
});
