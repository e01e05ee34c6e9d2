import type { BrokerNode } from '../broker-node.js';
import type { ProviderName } from '../choose-provider.js';
import type { BrokerLifecycle } from '../lifecycle.js';
import type { ServerCertificate, TlsMaterial } from '../tls-files.js';
import type { RedisAddress, RedisUser } from './ask.js';
import type { RedisReply } from './resp.js';

/** One node of a running Redis. */
export interface RedisNode extends BrokerNode {
  /** Where it listens without TLS. */
  readonly address: RedisAddress;
  /**
   * Sends it one command on a connection of its own, as a user who may do everything; for looking at it and
   * for settings. Rejects when the answer is an error, or is not there within 5 s.
   */
  ask(...command: readonly string[]): Promise<RedisReply>;
}

/** The port with TLS, and what its clients need. */
export interface RedisTls extends TlsMaterial {
  /** `rediss://host:port`. */
  readonly url: string;
  readonly address: RedisAddress;
  /** Lets it show another certificate to clients that connect from now on, until it is started again. */
  show(certificate: ServerCertificate): Promise<void>;
}

/**
 * A Redis for tests. Nothing of it outlives this process, however this process ends. `administer` sends the
 * command of a `redis-cli` as a user who may do everything, to every node that holds data and runs, since users
 * and settings are a node's own; it resolves to the first one's answer, as `redis-cli` writes it.
 */
export interface RunningRedis extends BrokerLifecycle {
  /** `redis://host:port` of the first node, without a user; what the environment says for one found there. */
  readonly url: string;
  /** Of the first node. */
  readonly address: RedisAddress;
  /** `Redis` or `Valkey`, as the server says of itself. */
  readonly product: string;
  /** Such as `7.0.15`. */
  readonly version: string;
  readonly provider: ProviderName;
  /** Present when TLS was asked for. */
  readonly tls: RedisTls | undefined;
  /** Present when a Unix socket was asked for. */
  readonly socketPath: string | undefined;
  /** Who may log in; where there are any, nobody gets in without logging in. */
  readonly users: readonly RedisUser[];
  /** A user who may do everything; present where users were given. */
  readonly admin: RedisUser | undefined;
  /** The nodes that hold data. Empty for one that was found at an address. */
  readonly nodes: readonly RedisNode[];
  /** A node that holds data by its place, 0 for the first. Throws `FAULT_UNAVAILABLE` when there is none. */
  node(index: number): RedisNode;
  /** `node(0).ask`, and the same for one that was found at an address. */
  ask(...command: readonly string[]): Promise<RedisReply>;
  /** What runs where, and why this provider was taken, in a line. */
  describe(): string;
}

/** A Redis of several nodes. */
export interface RedundantRedis extends RunningRedis {
  /** Where the nodes that hold data listen. */
  readonly addresses: readonly RedisAddress[];
  /**
   * Resolves when the nodes that run agree on who is master of what, all of that on nodes that run, and
   * every replica among them is in step with its master. Fails with `START_FAILED` after `startTimeoutMs`.
   */
  settled(): Promise<void>;
}

/** A master and a replica, watched by three sentinels. The lifecycle of the whole takes these in. */
export interface RunningRedisSentinel extends RedundantRedis {
  readonly sentinels: readonly RedisNode[];
  /** Where the sentinels listen; they need no user. */
  readonly sentinelAddresses: readonly RedisAddress[];
  /** What the sentinels call the master. */
  readonly masterName: string;
  /** The node that the sentinels name as the master now; it may be down until they have noticed. */
  master(): Promise<RedisNode>;
}

/** A cluster of three masters, each with a replica. */
export interface RunningRedisCluster extends RedundantRedis {
  /** The node that owns the slot now; it may be down until the others have noticed. */
  ownerOf(slot: number): Promise<RedisNode>;
  /** The nodes that own slots now, each once. */
  masters(): Promise<RedisNode[]>;
  /** The replicas of a master now. */
  replicasOf(master: RedisNode): Promise<RedisNode[]>;
  /**
   * Moves a slot with its keys to another master while clients go on, as an operator would, and resolves
   * when all nodes know it.
   *
   * @param afterEachKey is called and awaited in the middle of it: with 0 when the slot is marked as on the
   *   move, and after each key with the number of keys that have moved by then
   */
  moveSlot(slot: number, to: RedisNode, afterEachKey?: (movedKeys: number) => Promise<void>): Promise<void>;
}
