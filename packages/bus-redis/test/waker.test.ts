import { uniqueName } from '@omnibus/conformance-tests';
import type { Redis } from 'ioredis';
import { KeyMissing, type StreamRead } from '../src/fenced-read.js';
import { Waker } from '../src/waker.js';
import { Opener, testOptions, until } from './support/redis.js';

const opener = new Opener();
const wakers: Waker[] = [];
afterEach(async () => {
  await Promise.all(wakers.splice(0).map((waker) => waker.close()));
  await opener.close();
});

const TERMS = { group: 'group', consumerName: 'consumer', count: 10 };

/** A waker that may read one stream, with what it needs to be told that it may. */
async function wakerOn(
  client: Redis,
  unblock: (id: number) => Promise<unknown> = (id) => client.client('UNBLOCK', id),
): Promise<{ readonly waker: Waker; readonly read: StreamRead }> {
  const quiet = { works: () => undefined, failed: () => undefined };
  const waker = new Waker(testOptions(), 'waker', quiet, async (id) => void (await unblock(id)));
  wakers.push(waker);
  await waker.connect();
  const stream = uniqueName('stream');
  const read = { stream, pass: `${stream}:pass`, behind: '>' };
  for (const key of [read.stream, read.pass]) await client.xgroup('CREATE', key, 'group', '$', 'MKSTREAM');
  expect(await waker.canEnd()).toBe(true);
  return { waker, read };
}

/** Resolves when a connection of a waker waits at the server. */
async function waits(client: Redis): Promise<void> {
  await until('a wait', async () => / name=waker .*flags=b/.test(String(await client.client('LIST'))));
}

test('what is new comes with the wait for it', async () => {
  const client = opener.client();
  const { waker, read } = await wakerOn(client);
  const answer = waker.waitAndRead([{ stream: read.stream, behind: '0-0' }], [read], TERMS);
  await waits(client);
  const id = await client.xadd(read.stream, '*', 'payload', 'x');
  expect(await answer).toEqual([[[Buffer.from(id ?? ''), [Buffer.from('payload'), Buffer.from('x')]]]]);
});

test('who loses the pass while it waits is given nothing', async () => {
  const client = opener.client();
  const { waker, read } = await wakerOn(client);
  const answer = waker.waitAndRead([{ stream: read.stream, behind: '0-0' }], [read], TERMS);
  await waits(client);
  await client.multi().del(read.pass).xadd(read.stream, '*', 'payload', 'x').exec();
  expect(await answer).toEqual(new KeyMissing('pass', 0));
  expect(await client.xpending(read.stream, 'group')).toEqual([0, null, null, null]);
});

test('a wait ends at once when it is no longer wanted, also when the server hears that before it hears of the wait', async () => {
  const client = opener.client();
  let early = 0;
  const { waker, read } = await wakerOn(client, async (id) => {
    early += 1;
    if (early % 2 === 0) await client.client('UNBLOCK', id);
  });
  for (let round = 0; round < 20; round += 1) {
    const answer = waker.waitAndRead([{ stream: read.stream, behind: '0-0' }], [read], TERMS);
    waker.end();
    expect(await answer).toEqual([[]]);
  }
}, 4_000);
