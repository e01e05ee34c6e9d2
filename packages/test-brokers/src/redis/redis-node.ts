import type { BrokerNode } from '../broker-node.js';
import { askRedis, type RedisTarget } from './ask.js';
import type { PlannedNode } from './plan.js';
import type { RedisLayout, RedisSecrets } from './redis-config.js';
import type { RedisReply } from './resp.js';
import type { RedisNode } from './running-redis.js';

const ASK_TIMEOUT_MS = 5_000;
const PROBE_TIMEOUT_MS = 2_000;

/** Where a node is reached by whoever started it. */
export function targetOf({ layout, role }: PlannedNode, { admin }: RedisSecrets): RedisTarget {
  const { host, port } = layout;
  // Sentinels have no users.
  return { at: { host, port }, user: role === 'sentinel' ? undefined : admin };
}

/** A node with what is Redis's own about it. */
export function redisNode(node: BrokerNode, layout: RedisLayout, target: RedisTarget): RedisNode {
  return Object.assign(node, {
    address: { host: layout.host, port: layout.port },
    ask: (...command: readonly string[]): Promise<RedisReply> => askRedis(target, command, ASK_TIMEOUT_MS),
  });
}

/** What is asked for readiness of a node with that role. */
export function probeFor(
  { role }: PlannedNode,
  target: RedisTarget,
  configPath: string,
): () => Promise<void> {
  return async () => {
    await probeRedis(target, configPath);
    if (role === 'sentinel') await hasten(target);
  };
}

// A sentinel asks about replicas and tells of itself every 10 and 2 s, and forgets in a restart that it was
// told to do so more often.
async function hasten(target: RedisTarget): Promise<void> {
  const periods = ['INFO-PERIOD', '500', 'PUBLISH-PERIOD', '500'];
  await askRedis(target, ['SENTINEL', 'DEBUG', ...periods], PROBE_TIMEOUT_MS);
}

/**
 * Rejects until the node serves, its data loaded. Its configuration file tells it from a server of somebody
 * else that took the port.
 */
async function probeRedis(target: RedisTarget, configPath: string): Promise<void> {
  await askRedis(target, ['PING'], PROBE_TIMEOUT_MS);
  const info = await infoOf(target, 'server', PROBE_TIMEOUT_MS);
  if (info.config_file !== configPath) throw new Error(`another server answers (${info.config_file})`);
}

/** A section of a node's `INFO`. */
export async function infoOfNode(node: RedisNode, section: string): Promise<Partial<Record<string, string>>> {
  return parseInfo(await node.ask('INFO', section));
}

/** A section of `INFO`. */
export async function infoOf(
  target: RedisTarget,
  section: string,
  timeoutMs: number = ASK_TIMEOUT_MS,
): Promise<Partial<Record<string, string>>> {
  return parseInfo(await askRedis(target, ['INFO', section], timeoutMs));
}

/** The fields of an answer to `INFO`. */
export function parseInfo(reply: RedisReply): Partial<Record<string, string>> {
  const lines = String(reply)
    .split('\r\n')
    .filter((line) => line.includes(':'));
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}

/** What a server says it is. Valkey calls itself Redis 7.2 to clients that look for Redis. */
export function identityOf(info: Partial<Record<string, string>>): { product: string; version: string } {
  const { valkey_version: valkey, redis_version: redis = 'unknown' } = info;
  return valkey === undefined ? { product: 'Redis', version: redis } : { product: 'Valkey', version: valkey };
}
