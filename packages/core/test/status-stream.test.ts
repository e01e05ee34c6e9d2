import type { BusStatus } from '../src/status.js';
import { StatusStream } from '../src/status-stream.js';

const warning = (message: string): BusStatus => ({ type: 'warning', atMs: 1, message });

async function messages(stream: AsyncIterable<BusStatus>): Promise<string[]> {
  const seen: string[] = [];
  for await (const status of stream) seen.push(status.type === 'warning' ? status.message : status.type);
  return seen;
}

describe('StatusStream', () => {
  it('gives every reader everything from its call on, read or not', async () => {
    const statuses = new StatusStream();
    const early = statuses.stream();
    statuses.emit(warning('a'));
    const late = statuses.stream();
    statuses.emit(warning('b'));
    statuses.close();
    expect(await messages(early)).toEqual(['a', 'b']);
    expect(await messages(late)).toEqual(['b']);
  });

  it('wakes a reader that waits', async () => {
    const statuses = new StatusStream();
    const iterator = statuses.stream()[Symbol.asyncIterator]();
    const first = iterator.next();
    const second = iterator.next();
    statuses.emit(warning('a'));
    statuses.emit(warning('b'));
    expect(await first).toEqual({ done: false, value: warning('a') });
    expect(await second).toEqual({ done: false, value: warning('b') });
  });

  it('drops the oldest for a reader that is slow, and for no other', async () => {
    const statuses = new StatusStream(2);
    const slow = statuses.stream();
    const quick = statuses.stream()[Symbol.asyncIterator]();
    for (const message of ['a', 'b', 'c']) {
      const next = quick.next();
      statuses.emit(warning(message));
      expect((await next).value).toEqual(warning(message));
    }
    statuses.close();
    expect(await messages(slow)).toEqual(['b', 'c']);
  });

  it('forgets a reader that leaves its loop', async () => {
    const statuses = new StatusStream();
    const stream = statuses.stream();
    statuses.emit(warning('a'));
    statuses.emit(warning('b'));
    expect(statuses.readers).toBe(1);
    for await (const _ of stream) break;
    expect(statuses.readers).toBe(0);
    expect(await messages(stream)).toEqual([]);
  });

  it('ends waiting readers, and those that come later, when it is closed', async () => {
    const statuses = new StatusStream();
    const waiting = messages(statuses.stream());
    statuses.close();
    statuses.close();
    statuses.emit(warning('too late'));
    expect(await waiting).toEqual([]);
    expect(await messages(statuses.stream())).toEqual([]);
    expect(statuses.readers).toBe(0);
  });
});
