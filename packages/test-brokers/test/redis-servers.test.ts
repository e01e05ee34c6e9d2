import { type RedisServerName, type RunningRedis, startRedis } from '../src/index.js';
import { natively } from './native.js';

/** Starts that server, or tells why it is not to be had here. */
async function start(server: RedisServerName): Promise<RunningRedis | string> {
  return natively(() => startRedis({ server, report: () => {} })).catch((error: Error) => {
    expect(error).toMatchObject({ code: 'TOOL_MISSING' });
    return error.message;
  });
}

describe('the server that is asked for by name', () => {
  it.each([
    ['redis-7', 'Redis', /^7\./],
    ['redis-8', 'Redis', /^8\./],
    ['valkey-8', 'Valkey', /^8\./],
  ] as const)(
    '%s is what runs, or an error says what to install',
    async (name, product, version) => {
      const redis = await start(name);
      if (typeof redis === 'string') {
        expect(redis).toMatch(new RegExp(`^${name} is needed, and was not installed \\(.+\\)\\. Install it`));
        return;
      }
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
