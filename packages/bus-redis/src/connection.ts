import {
  type BusError,
  type DeadLetterStore,
  type HistoryReader,
  isConnectionTrouble,
  Outages,
  type TransportEvents,
  within,
} from '@omnibus/core/transport';
import { RedisClient } from './client.js';
import type { ConnectionPart } from './connection-part.js';
import type { ConsumerParts } from './consumer.js';
import { RedisDeadLetters } from './dead-letters.js';
import { requireFsync } from './fsync.js';
import { RedisHistory } from './history.js';
import { Keys } from './keys.js';
import type { RedisSettings } from './options.js';
import { Publisher } from './publisher.js';
import { warningsOf } from './security.js';
import { Topology } from './topology.js';
import { Trimmer } from './trimmer.js';

/** What a connection is made with. */
export interface ConnectionOptions extends RedisSettings {
  readonly consumerName: string;
  readonly publish: { readonly timeoutMs: number };
}

/** Beyond the time that a record may be sent again: an answer that is late. */
const REMEMBER_GRACE_MS = 60_000;
const LEAVE_MS = 300;

/** What a bus has as soon as it is connected: everything but consuming. Keeps itself connected. */
export class Connection {
  readonly topology: Topology;
  readonly stream: Publisher;
  readonly deadLetters: DeadLetterStore;
  readonly history: HistoryReader;
  private readonly client: RedisClient;
  private readonly outages: Outages<ConnectionPart>;
  private trimmer: Trimmer | undefined;
  private closed = false;

  constructor(
    private readonly settings: ConnectionOptions,
    private readonly events: TransportEvents,
  ) {
    const { streamPrefix, partitions, durability, publish, consumerName } = settings;
    const told = {
      works: () => this.outages.works('publishing'),
      failed: (error: BusError) => this.unreachable(error),
      refusal: () => this.client.refusal,
    };
    this.outages = new Outages(events);
    this.client = new RedisClient(settings, consumerName, told);
    const { commands, isCluster } = this.client;
    this.topology = new Topology(commands, new Keys(streamPrefix, isCluster), partitions);
    const rememberMs = publish.timeoutMs + REMEMBER_GRACE_MS;
    this.stream = new Publisher(commands, this.topology, { durability, rememberMs }, told);
    this.deadLetters = new RedisDeadLetters(commands, this.topology);
    this.history = new RedisHistory(commands, this.topology);
  }

  async open(): Promise<void> {
    const { retention, durability } = this.settings;
    await this.client.connect();
    if (durability.fsync) await requireFsync(this.client.commands);
    await this.topology.ensure();
    for (const warning of warningsOf(this.settings)) this.events.warning(warning);
    await this.warnOfForeignGroups();
    if (retention.maxLength !== undefined || retention.maxAgeMs !== undefined)
      this.trimmer = new Trimmer(this.client.commands, this.topology, retention, (error) =>
        this.trimFailed(error),
      );
  }

  /** Why it is not open yet. */
  whyNot(): BusError {
    return this.client.whyNot();
  }

  /** What a consumer of this bus shares with it. */
  consumerParts(): ConsumerParts {
    const { settings, topology, events, outages } = this;
    return { settings, topology, events, outages };
  }

  async ping(): Promise<void> {
    await this.client.commands.ping();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.trimmer?.close();
    // What it cannot forget now it forgets by itself.
    if (!this.outages.isDown)
      await within(LEAVE_MS, this.stream.leave(), () => new Error('late')).catch(() => undefined);
    await this.client.close();
  }

  private async warnOfForeignGroups(): Promise<void> {
    const groups = await this.topology.foreignGroups();
    if (groups.length === 0) return;
    const { partitions, keys } = this.topology;
    this.events.warning(
      `The groups ${groups.join(', ')} consume only ${keys.stream}, and what is published is spread over ${partitions} streams: they receive a part of it. Set partitions to 1 while they are needed`,
    );
  }

  private unreachable(error: BusError): void {
    // The other failures are in the results of what was asked for.
    if (!this.closed && isConnectionTrouble(error)) this.outages.failed('publishing', error);
  }

  private trimFailed(error: BusError): void {
    if (isConnectionTrouble(error)) this.unreachable(error);
    else this.events.error(error);
  }
}
