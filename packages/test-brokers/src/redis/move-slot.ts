import type { RedisUser } from './ask.js';
import { idOf } from './form-cluster.js';
import type { RedisNode } from './running-redis.js';

const MIGRATE_TIMEOUT_MS = 5_000;

/** What is moved, and between whom. */
export interface SlotMove {
  readonly slot: number;
  readonly from: RedisNode;
  readonly to: RedisNode;
  /** Every node that owns slots, these two among them. */
  readonly masters: readonly RedisNode[];
  readonly admin: RedisUser | undefined;
  readonly afterEachKey: (movedKeys: number) => Promise<void>;
}

/** Moves a slot with its keys, one by one, in the order that keeps every step safe for clients. */
export async function moveSlot({ slot, from, to, masters, admin, afterEachKey }: SlotMove): Promise<void> {
  if (from === to) return;
  const [fromId, toId] = [await idOf(from), await idOf(to)];
  const setSlot = (node: RedisNode, state: string, id: string): Promise<unknown> =>
    node.ask('CLUSTER', 'SETSLOT', String(slot), state, id);
  await setSlot(to, 'IMPORTING', fromId);
  await setSlot(from, 'MIGRATING', toId);
  let moved = 0;
  for (;;) {
    await afterEachKey(moved);
    const [key] = (await from.ask('CLUSTER', 'GETKEYSINSLOT', String(slot), '1')) as string[];
    if (key === undefined) break;
    await migrate(key, from, to, admin);
    moved += 1;
  }
  // The new owner first: were the old one the first to forget the slot, nobody would own it in between.
  await setSlot(to, 'NODE', toId);
  await setSlot(from, 'NODE', toId);
  for (const node of masters) if (node !== to && node !== from) await setSlot(node, 'NODE', toId);
}

async function migrate(
  key: string,
  from: RedisNode,
  { address }: RedisNode,
  admin: RedisUser | undefined,
): Promise<void> {
  const login = admin === undefined ? [] : ['AUTH2', admin.username, admin.password];
  const { host, port } = address;
  await from.ask('MIGRATE', host, String(port), key, '0', String(MIGRATE_TIMEOUT_MS), ...login);
}
