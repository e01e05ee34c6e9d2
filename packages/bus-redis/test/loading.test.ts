import { record, sendAll } from '@omnibus/conformance-tests';
import { type RunningRedis, startRedis } from '@omnibus/test-brokers';
import { Opener, until } from './support/redis.js';

jest.setTimeout(90_000);

const SMALL_KEYS = 3_000;
const LARGE_BYTES = 30 * 1024 * 1024;
/** Half of the longest that ioredis waits by itself. */
const SERVED_AGAIN_WITHIN_MS = 5_000;

const opener = new Opener();
let redis: RunningRedis;

beforeAll(async () => {
  // A thousandth of a second for each command that it reads at its start.
  redis = await startRedis({ durable: true, config: ['key-load-delay 1000'] });
});
afterEach(() => opener.close());
afterAll(() => redis.stop());

test('a server that reads its data for long is used as soon as it serves', async () => {
  const client = opener.client(redis.url);
  // What takes long comes first, and most of the bytes last: until then the server's guess is far too long.
  const small = client.pipeline();
  for (let n = 0; n < SMALL_KEYS; n += 1) small.set(`key-${n}`, 'x');
  await small.exec();
  await client.set('large', Buffer.alloc(LARGE_BYTES, 'x'));
  client.disconnect();
  const { transport, told } = await opener.open({ url: redis.url });
  await redis.restart();
  await until('the bus to be connected again', () => told.reconnections > 0, SERVED_AGAIN_WITHIN_MS);
  await sendAll(transport, [record(0, 'after')]);
});
