import { consumeSpec, RecordingSink, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import type { RawEntry } from '../src/entry.js';
import { KeyMissing, readFenced } from '../src/fenced-read.js';
import { Keys } from '../src/keys.js';
import { beat, reissue, release, take } from '../src/scripts.js';
import { Opener, until } from './support/redis.js';

const opener = new Opener();
afterEach(() => opener.close());

const GROUP = 'group';
const LEASE_MS = 5_000;

/** One partition with entries, and what owners of it send to the server. */
class Owners {
  readonly client = opener.client();
  readonly keys = new Keys(uniqueName(), false);
  readonly stream = this.keys.stream;
  readonly lease = this.keys.lease(0, GROUP);
  readonly admitted = this.keys.admitted(0, GROUP);

  async publish(): Promise<void> {
    await this.client.xadd(this.stream, '*', 'payload', 'x');
  }

  take(token: string, leaseMs = LEASE_MS): Promise<unknown> {
    return take.run(
      this.client,
      [this.lease, this.stream, this.pass(token), this.admitted],
      [token, leaseMs, GROUP, `consumer-${token}`, '0-0', ''],
    );
  }

  beat(token: string): Promise<unknown> {
    const members = this.keys.members(0, GROUP);
    const keys = [members, this.lease, this.pass(token), this.admitted];
    return beat.run(this.client, keys, [token, LEASE_MS, token]);
  }

  read(token: string): Promise<readonly (readonly RawEntry[])[] | KeyMissing> {
    return readFenced(this.client, [{ stream: this.stream, pass: this.pass(token), behind: '>' }], {
      group: GROUP,
      consumerName: `consumer-${token}`,
      count: 10,
    });
  }

  async pending(): Promise<number> {
    const [count] = (await this.client.xpending(this.stream, GROUP)) as [number];
    return count;
  }

  pass(token: string): string {
    return this.keys.pass(0, GROUP, token);
  }
}

const refused = new KeyMissing('pass', 0);

describe('a read that comes late', () => {
  test('does nothing once another has taken the partition, even when the lease was deleted by hand', async () => {
    const owners = new Owners();
    await owners.publish();
    await owners.take('a');
    await owners.client.del(owners.lease);
    await owners.take('b');
    expect(await owners.read('a')).toEqual(refused);
    expect(await owners.pending()).toBe(0);
    expect(await owners.read('b')).toEqual([[expect.anything()]]);
  });

  test('does nothing when the lease ended by itself', async () => {
    const owners = new Owners();
    await owners.publish();
    await owners.take('a', 20);
    await until('the end of the lease', async () => (await owners.client.exists(owners.lease)) === 0);
    expect(await owners.read('a')).toEqual(refused);
    expect(await owners.pending()).toBe(0);
  });

  test('does nothing after the release', async () => {
    const owners = new Owners();
    await owners.publish();
    await owners.take('a');
    await release.run(
      owners.client,
      [owners.lease, owners.stream, owners.pass('a'), owners.admitted],
      ['a', GROUP, 'consumer-a'],
    );
    expect(await owners.read('a')).toEqual(refused);
    expect(await owners.pending()).toBe(0);
  });

  test('does nothing once its owner has another token', async () => {
    const owners = new Owners();
    await owners.publish();
    await owners.take('a');
    const next = [owners.lease, owners.pass('b'), owners.admitted];
    for (let twice = 0; twice < 2; twice += 1)
      await reissue.run(owners.client, next, ['a', 'b', LEASE_MS, GROUP]);
    expect(await owners.read('a')).toEqual(refused);
    expect(await owners.pending()).toBe(0);
    expect(await owners.read('b')).toEqual([[expect.anything()]]);
  });
});

test('a heartbeat prolongs the pass with the lease, and ends it when the lease is another’s', async () => {
  const owners = new Owners();
  await owners.take('a', 500);
  await owners.beat('a');
  for (const key of [owners.lease, owners.pass('a'), owners.admitted])
    expect(await owners.client.pttl(key)).toBeGreaterThan(LEASE_MS / 2);
  await owners.client.set(owners.lease, 'thief', 'KEEPTTL');
  await owners.beat('a');
  expect(await owners.read('a')).toEqual(refused);
});

test('several streams are read or none: a read of two is refused when one of the passes is gone', async () => {
  const [first, second] = [new Owners(), new Owners()];
  for (const owners of [first, second]) {
    await owners.publish();
    await owners.take('a');
  }
  await second.client.del(second.pass('a'));
  const reads = [first, second].map((owners) => ({
    stream: owners.stream,
    pass: owners.pass('a'),
    behind: '>',
  }));
  const answer = await readFenced(first.client, reads, { group: GROUP, consumerName: 'c', count: 1 });
  expect(answer).toEqual(new KeyMissing('pass', 1));
  expect([await first.pending(), await second.pending()]).toEqual([0, 0]);
});

test('a pass that is deleted by hand costs a hand-over, and nothing else', async () => {
  const { transport, settings } = await opener.open({ partitions: 1 });
  const group = uniqueName();
  const sink = new RecordingSink('owner');
  await transport.consume(consumeSpec(group), sink);
  await sendAll(transport, records(0, 3));
  await until('three records', () => sink.delivered.length === 3);
  const client = opener.client();
  const keys = new Keys(settings.streamPrefix, false);
  await client.del((await client.get(keys.admitted(0, group))) ?? '');
  await sendAll(transport, records(0, 3, 3));
  await until('the other three', () => sink.delivered.length >= 6);
  expect(sink.assignments).toHaveLength(2);
  expect(sink.values().slice(-3)).toEqual(['0/3', '0/4', '0/5']);
});
