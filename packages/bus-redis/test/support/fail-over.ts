import type { RedisNode } from '@omnibus/test-brokers';
import { until } from './redis.js';

/**
 * Kills a master that has just appended to the stream what its replica will never hear of, because it stood still and its
 * connection was cut meanwhile. `publish` appends it.
 */
export async function killBehindBackOf(
  replica: RedisNode,
  master: RedisNode,
  stream: string,
  publish: () => unknown,
): Promise<void> {
  await replica.pause();
  await master.ask('CLIENT', 'KILL', 'TYPE', 'replica');
  const known = Number(await master.ask('XLEN', stream));
  publish();
  await until('the master to know more', async () => Number(await master.ask('XLEN', stream)) > known);
  await master.kill();
  await replica.resume();
}
