import { commonLines, type RedisLayout, type RedisSecrets } from './redis-config.js';
import type { ResolvedRedisOptions } from './redis-options.js';

/** What the sentinels call the master that they watch. */
export const MASTER_NAME = 'omnibus';

/** How many sentinels there are, and how many of them must agree that the master is lost. */
export const SENTINELS = 3;
const QUORUM = 2;

// A fail-over that did not succeed is tried again after twice that.
const FAILOVER_TIMEOUT_MS = 5_000;

/** The content of the configuration file of a sentinel, which it rewrites as it learns. */
export function sentinelConfig(
  options: ResolvedRedisOptions,
  layout: RedisLayout,
  { admin }: RedisSecrets,
  master: RedisLayout,
): string {
  const lines = [
    ...commonLines(layout),
    `sentinel announce-ip ${layout.host}`,
    `sentinel announce-port ${layout.port}`,
    `sentinel monitor ${MASTER_NAME} ${master.host} ${master.port} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${options.failureAfterMs}`,
    `sentinel failover-timeout ${MASTER_NAME} ${FAILOVER_TIMEOUT_MS}`,
    ...(admin === undefined
      ? []
      : [
          `sentinel auth-user ${MASTER_NAME} ${admin.username}`,
          `sentinel auth-pass ${MASTER_NAME} ${admin.password}`,
        ]),
  ];
  return `${lines.join('\n')}\n`;
}
