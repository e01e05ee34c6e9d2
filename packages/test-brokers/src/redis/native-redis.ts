import type { Offer } from '../choose-provider.js';
import type { RedisAssembly } from './redis-assembly.js';
import type { ResolvedRedisOptions } from './redis-options.js';
import { startRedisProcesses } from './redis-processes.js';
import { requireRedisServer } from './redis-server.js';

/** Redis as processes of this machine. */
export async function offerNative(options: ResolvedRedisOptions): Promise<Offer<RedisAssembly>> {
  if (process.platform === 'win32') {
    return { available: false, reason: 'Windows has neither SIGSTOP nor sh; Docker runs there' };
  }
  return {
    available: true,
    start: async () => startRedisProcesses(options, await requireRedisServer(options)),
  };
}
