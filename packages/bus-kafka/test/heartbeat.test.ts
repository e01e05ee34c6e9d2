import { Elapsed } from '@omnibus/core/transport';
import { Heartbeat, type HeartbeatHandler } from '../src/heartbeat.js';
import { until } from './support/kafka.js';

function handlerOf(changes: Partial<HeartbeatHandler>): HeartbeatHandler {
  const nothing = (): void => undefined;
  return {
    send: () => Promise.resolve(),
    rebalance: nothing,
    refused: nothing,
    silent: nothing,
    hung: nothing,
    failed: nothing,
    works: nothing,
    ...changes,
  };
}

test('the end of the session is noticed when it is there, not with the heartbeat after it', async () => {
  const silent: number[] = [];
  const heartbeat = new Heartbeat(
    { sessionTimeoutMs: 300, heartbeatIntervalMs: 60_000 },
    handlerOf({ send: () => new Promise(() => undefined), silent: (ms) => silent.push(ms) }),
  );
  heartbeat.joined({ groupId: 'g', groupGenerationId: 1, memberId: 'm' }, new Elapsed(), 60_000);
  try {
    await until('the silence to be told', () => silent.length > 0, 10_000);
    expect(silent[0]).toBeGreaterThan(300);
  } finally {
    heartbeat.close();
  }
});

test('a session that ended while the process stood still is over at once, before any timer says so', async () => {
  const silent: number[] = [];
  const heartbeat = new Heartbeat(
    { sessionTimeoutMs: 200, heartbeatIntervalMs: 50 },
    handlerOf({
      silent: (ms) => {
        silent.push(ms);
        heartbeat.left();
      },
    }),
  );
  const member = { groupId: 'g', groupGenerationId: 1, memberId: 'm' };
  const contact = new Elapsed();
  heartbeat.joined(member, contact, 50);
  try {
    expect(heartbeat.isInSession).toBe(true);
    while (contact.ms <= 200);
    expect(heartbeat.isInSession).toBe(false);
    expect(silent).toEqual([]);
    heartbeat.joined(member, new Elapsed(), 50);
    expect(heartbeat.isInSession).toBe(false);
    await until('the silence to be told', () => silent.length > 0, 10_000);
    heartbeat.joined(member, new Elapsed(), 50);
    expect(heartbeat.isInSession).toBe(true);
  } finally {
    heartbeat.close();
  }
});

test('a join that the coordinator held for long was contact, whatever follows from it', () => {
  const heartbeat = new Heartbeat(
    { sessionTimeoutMs: 200, heartbeatIntervalMs: 60_000 },
    handlerOf({ silent: () => heartbeat.left() }),
  );
  const member = { groupId: 'g', groupGenerationId: 1, memberId: 'm' };
  const contact = new Elapsed();
  while (contact.ms <= 150);
  try {
    heartbeat.joined(member, contact, 60_000);
    heartbeat.joinBegins();
    while (contact.ms <= 250);
    heartbeat.joinAnswered();
    heartbeat.joinFailed();
    expect(heartbeat.isInSession).toBe(true);
  } finally {
    heartbeat.close();
  }
});

test('an answer that came while the process was busy is read before it is missed', async () => {
  const hung: number[] = [];
  let answer: (() => void) | undefined;
  const heartbeat = new Heartbeat(
    { sessionTimeoutMs: 60_000, heartbeatIntervalMs: 10 },
    handlerOf({
      send: (_, sent) => {
        sent();
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
      hung: (ms) => hung.push(ms),
    }),
  );
  heartbeat.joined({ groupId: 'g', groupGenerationId: 1, memberId: 'm' }, new Elapsed(), 10);
  try {
    await until('a heartbeat', () => answer !== undefined, 10_000);
    setImmediate(() => answer?.());
    const busy = new Elapsed();
    while (busy.ms <= 1_100);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await new Promise((resolve) => setImmediate(resolve));
    expect(hung).toEqual([]);
  } finally {
    heartbeat.close();
  }
});
