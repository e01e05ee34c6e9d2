import { startRedis } from '../src/index.js';
import { natively } from './native.js';

describe('the server that is asked for by name', () => {
  it.each([
    ['redis-7', 'Redis', /^7\./],
    ['redis-8', 'Redis', /^8\./],
    ['valkey-8', 'Valkey', /^8\./],
  ] as const)(
    '%s is what runs',
    async (server, product, version) => {
      const redis = await natively(() => startRedis({ server, report: () => {} }));
      try {
        expect(redis.product).toBe(product);
        expect(redis.version).toMatch(version);
      } finally {
        await redis.stop();
      }
    },
    120_000,
  );
});
