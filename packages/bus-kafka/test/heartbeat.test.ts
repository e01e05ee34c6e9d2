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
