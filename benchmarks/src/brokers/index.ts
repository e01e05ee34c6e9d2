import type { BrokerKind } from './broker.js';
import { kafka } from './kafka.js';
import { rabbitmq } from './rabbitmq.js';
import { redis } from './redis.js';

/** What can be measured, by the name of `--bus`. */
export const BROKERS: Readonly<Record<string, BrokerKind>> = { kafka, rabbitmq, redis };

/** The broker of this name. Throws for one that does not exist. */
export function brokerNamed(name: string): BrokerKind {
  const kind = BROKERS[name];
  if (kind === undefined) throw new Error(`There is no broker ${name}: ${Object.keys(BROKERS).join(', ')}`);
  return kind;
}
