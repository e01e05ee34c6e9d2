import { conformance, type RedisUnderTest, redisSubject } from '@omnibus/conformance-tests';
import { Servers } from './support/servers.js';

/** What could differ from server to server: scripts, the redelivery of what is pending, dead letters, the fence. */
const IDS = ['CT01', 'CT05', 'OR05', 'OR06', 'DL', 'FA09'];

/** The whole kit runs on whatever server is there (`redis.conformance.test.ts`), the essentials also on these. */
describe.each(['redis-8', 'valkey-8'] as const)('%s', (name) => {
  const servers = new Servers();
  let redis: RedisUnderTest | undefined;

  const onServer = (body: () => Promise<void>) => async (): Promise<void> => {
    if (redis) await body();
  };

  conformance({
    ...redisSubject({
      provides: { control: false, proxied: false },
      start: () => Promise.resolve(redis as RedisUnderTest),
    }),
    runner: {
      describe,
      it: (title, body, timeoutMs) => it(title, onServer(body), timeoutMs),
      beforeAll: (body, timeoutMs) =>
        beforeAll(async () => {
          redis = await servers.start(name, { durable: true });
          await onServer(body)();
        }, timeoutMs),
      afterAll: (body, timeoutMs) => afterAll(onServer(body), timeoutMs),
    },
    only: IDS,
  });
});
