import { conformance, redisSubject } from '@omnibus/conformance-tests';
import { Servers } from './support/servers.js';

/** What could differ from server to server: scripts, the redelivery of what is pending, dead letters, the fence. */
const IDS = ['CT01', 'CT05', 'OR05', 'OR06', 'DL', 'FA09'];

/** The whole kit runs on whatever server is there (`redis.conformance.test.ts`), the essentials also on these. */
describe.each(['redis-8', 'valkey-8'] as const)('%s', (name) => {
  const servers = new Servers();

  conformance({
    ...redisSubject({
      provides: { control: false, proxied: false },
      start: () => servers.start(name, { durable: true }),
    }),
    runner: { describe, it, beforeAll, afterAll },
    only: IDS,
  });
});
