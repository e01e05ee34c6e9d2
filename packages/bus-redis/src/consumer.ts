import { randomUUID } from 'node:crypto';
import {
  BusError,
  busClosed,
  type ConsumeSpec,
  type DeliverySink,
  type InboundRecord,
  isConnectionTrouble,
  type Outages,
  type OutboundRecord,
  type StartableConsumption,
  type TransportEvents,
  within,
} from '@omnibus/core/transport';
import { type ClientEvents, RedisClient } from './client.js';
import type { ConnectionPart } from './connection-part.js';
import { toBusError } from './errors.js';
import { readJournals } from './journals.js';
import type { Lease } from './lease.js';
import { writeDeadLetter } from './letter-writer.js';
import { Membership } from './membership.js';
import type { RedisSettings } from './options.js';
import { OwnedPartition } from './owned-partition.js';
import { Readers } from './readers.js';
import { Settlements } from './settlements.js';
import type { Topology } from './topology.js';

/** What a consumer shares with the rest of the bus. */
export interface ConsumerParts {
  readonly settings: RedisSettings;
  readonly topology: Topology;
  readonly events: TransportEvents;
  readonly outages: Outages<ConnectionPart>;
}

/** How long the word of goodbye may take. Without it the partitions are free when the leases end. */
const MAX_LEAVE_MS = 2_000;
const MIN_LEAVE_MS = 300;
/** Beyond the time for draining: storing what was drained. */
const HAND_OVER_GRACE_MS = 3_000;
const STOP_GRACE_MS = 300;
/** What a crash repeats beside what is being handled: at most about this part of `maxInFlight`. */
const SETTLE_SHARE = 4;

/** One member of one group: joins, owns partitions, reads them, stores what is settled. */
export class RedisConsumer implements StartableConsumption {
  private readonly owned = new Map<number, OwnedPartition>();
  /** Up to where partitions were settled when this process owned them last. */
  private readonly settledUpTo = new Map<number, string>();
  private readonly client: RedisClient;
  private readonly topology: Topology;
  private readonly membership: Membership;
  private readonly readers: Readers;
  private readonly settlements: Settlements;
  private stopping = false;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly parts: ConsumerParts,
    private readonly spec: ConsumeSpec,
    private readonly sink: DeliverySink,
  ) {
    const { settings } = parts;
    const { consumerName, group } = spec;
    this.client = new RedisClient(settings, consumerName, this.told('consuming'));
    const { commands } = this.client;
    this.topology = parts.topology.on(commands);
    const member = `${consumerName}/${randomUUID().slice(0, 8)}`;
    const how = { ...settings, consumerName, member, group: group.name, maxInFlight: spec.maxInFlight };
    this.membership = new Membership(commands, this.topology, how, {
      ...this.told('consuming'),
      taken: (leases, made) => this.taken(leases, made),
      give: (partitions) => void this.give(partitions, settings.leaseMs),
      lost: (partitions, cause) => this.lost(partitions, cause),
      resumeAt: (partition) => this.settledUpTo.get(partition) ?? '0-0',
      trimmed: (partition, count) => this.trimmed(partition, count),
    });
    this.readers = new Readers(this.client, this.topology, how, {
      ...this.told('consuming'),
      waiting: this.told('waiting'),
      clear: ({ lease }) => this.membership.leases.clearDoubt(lease),
      refused: ({ lease }) => this.membership.leases.refused(lease),
      groupMissing: (owned) => this.groupMissing(owned),
      trimmed: ({ partition }, count) => this.trimmed(partition, count),
    });
    this.settlements = new Settlements(
      commands,
      this.topology,
      group.name,
      Math.ceil(spec.maxInFlight / SETTLE_SHARE),
      {
        clear: ({ lease }) => this.membership.leases.clearDoubt(lease),
        refused: ({ lease }) => this.membership.leases.refused(lease),
        problem: (error) => this.failed(error, 'consuming'),
        stuck: () => this.client.abort('The consumer stops'),
      },
    );
  }

  /** Resolves when this member has joined, with the partitions that were free. */
  async start(): Promise<void> {
    try {
      await Promise.all([this.client.connect(), this.readers.connect()]);
      await this.membership.start();
      if (this.stopping) throw busClosed('startConsuming');
    } catch (error) {
      await this.close();
      throw toBusError(error, `join the group ${this.spec.group.name}`);
    }
    void this.membership.run();
  }

  stop(timeoutMs: number): Promise<void> {
    this.stopped ??= this.stopNow(timeoutMs);
    return this.stopped;
  }

  private async stopNow(timeoutMs: number): Promise<void> {
    this.stopping = true;
    this.settlements.stop();
    await this.bounded(STOP_GRACE_MS, 'finish the last heartbeat', () => this.membership.stop());
    await this.give([...this.owned.keys()], timeoutMs, STOP_GRACE_MS);
    const patienceMs = this.parts.outages.isDown
      ? MIN_LEAVE_MS
      : Math.max(MIN_LEAVE_MS, Math.min(timeoutMs, MAX_LEAVE_MS));
    await this.bounded(patienceMs, `leave the group ${this.spec.group.name}`, () => this.leave());
    await this.close();
  }

  private async leave(): Promise<void> {
    const { name, ephemeral } = this.spec.group;
    await this.membership.leave();
    if (ephemeral) await this.topology.removeGroup(name);
  }

  private async close(): Promise<void> {
    this.stopping = true;
    this.membership.close();
    this.settlements.close();
    for (const owned of [...this.owned.values()])
      this.giveUp(owned, new BusError('FENCED', 'The consumer was stopped'));
    await Promise.all([this.readers.close(), this.client.close()]);
    this.parts.outages.forget('consuming');
    this.parts.outages.forget('waiting');
  }

  /** The partitions are ours from now on; what former owners wrote down is read after that, when nobody can add to it. */
  private async taken(leases: readonly Lease[], made: readonly number[]): Promise<void> {
    let journals: ReadonlyMap<number, string>;
    try {
      if (made.length > 0) await this.groupMade(made);
      journals = await readJournals(this.client.commands, this.topology, this.spec.group.name);
    } catch (error) {
      await Promise.allSettled(leases.map(({ partition }) => this.membership.release(partition)));
      throw error;
    }
    for (const lease of leases) {
      if (this.stopping) await this.membership.release(lease.partition);
      else if (this.membership.leases.holds(lease)) this.own(lease, journals);
    }
    this.rebalanced();
  }

  private own(lease: Lease, journals: ReadonlyMap<number, string>): void {
    const { partition } = lease;
    const owned = new OwnedPartition(lease, journals.get(partition) ?? '', {
      changed: (changed, soon, settlements) => this.settlements.changed(changed, soon, settlements),
      resumed: (resumed) => this.readers.wake(resumed),
      writeDeadLetter: (from, source, letter) => this.writeDeadLetter(from, source, letter),
      fenced: (count) => this.parts.events.fenced(count),
    });
    this.owned.set(partition, owned);
    owned.attach(this.sink.assign(partition, owned));
    this.readers.add(owned);
    void this.open(owned, journals);
  }

  private async open(owned: OwnedPartition, journals: ReadonlyMap<number, string>): Promise<void> {
    try {
      await owned.open(journals);
    } catch (error) {
      if (owned.isLost) return;
      const cause = toBusError(error, `take over partition ${owned.partition}`);
      this.failed(cause, 'consuming');
      this.giveUp(owned, cause);
      await this.release(owned.partition);
    }
  }

  /** Lets the running handlers finish, makes durable what they did, and lets the partitions go. */
  private async give(
    partitions: readonly number[],
    timeoutMs: number = this.spec.handOverTimeoutMs,
    graceMs: number = HAND_OVER_GRACE_MS,
  ): Promise<void> {
    await Promise.all(
      partitions.map(async (partition) => {
        const owned = this.owned.get(partition);
        if (!owned) return;
        this.readers.remove(owned);
        await this.bounded(timeoutMs + graceMs, `hand over partition ${partition}`, async () => {
          await owned.handOver(timeoutMs);
          if (!owned.isLost) await owned.flush();
        });
        // Lost meanwhile, and perhaps taken again: then it is not this ownership's to release.
        if (owned.isLost) return;
        this.giveUp(owned, new BusError('FENCED', `Partition ${partition} goes to another process`));
        await this.release(partition);
      }),
    );
    if (!this.stopping) this.rebalanced();
  }

  private async release(partition: number): Promise<void> {
    try {
      await this.membership.release(partition);
    } catch (error) {
      // The lease ends by itself.
      this.failed(toBusError(error, `release partition ${partition}`), 'consuming');
    }
  }

  private lost(partitions: readonly number[], cause: BusError): void {
    for (const partition of partitions) {
      const owned = this.owned.get(partition);
      if (owned) this.giveUp(owned, cause);
    }
    if (!this.stopping) this.rebalanced();
  }

  private giveUp(owned: OwnedPartition, cause: BusError): void {
    this.readers.remove(owned);
    if (this.owned.get(owned.partition) === owned) this.owned.delete(owned.partition);
    if (owned.watermark !== undefined) this.settledUpTo.set(owned.partition, owned.watermark);
    const refused = owned.lose(cause);
    if (refused > 0) this.parts.events.fenced(refused);
  }

  /** Nobody can read on: drained and let go, the partition is taken again, and the group made with it. */
  private groupMissing(owned: OwnedPartition): void {
    if (owned.isLost) return;
    this.readers.remove(owned);
    void this.give([owned.partition]).then(() => this.membership.hurry());
  }

  private async groupMade(partitions: readonly number[]): Promise<void> {
    const { name } = this.spec.group;
    this.parts.events.error(
      new BusError(
        'BROKER',
        `The group ${name} was gone from ${partitions.length} partitions and has been made anew: the stream was deleted, or a replica took over that did not know it yet; events may be handled again`,
      ),
    );
    await this.topology.ensure();
  }

  private trimmed(partition: number, count: number): void {
    this.parts.events.error(
      new BusError(
        'BROKER',
        `${count} events of partition ${partition} were deleted from the stream before the group ${this.spec.group.name} had handled them: they are lost to it`,
        { retryable: false },
      ),
    );
  }

  private async writeDeadLetter(
    owned: OwnedPartition,
    source: InboundRecord,
    letter: OutboundRecord,
  ): Promise<void> {
    const { name } = this.spec.group;
    await this.membership.leases.clearDoubt(owned.lease);
    if (
      await writeDeadLetter(this.client.commands, this.topology.keys, {
        lease: owned.lease,
        group: name,
        source,
        letter,
      })
    )
      return;
    this.membership.leases.refused(owned.lease);
    throw new BusError('FENCED', `Partition ${owned.partition} belongs to another process now`);
  }

  private rebalanced(): void {
    this.parts.events.rebalanced(this.spec.group.name, [...this.owned.keys()]);
  }

  /** Ends when the work does or the time is up; a failure is told. */
  private async bounded(ms: number, doing: string, work: () => Promise<unknown>): Promise<void> {
    const late = (): BusError => new BusError('TIMEOUT', `It took longer than ${ms} ms to ${doing}`);
    try {
      await within(ms, work(), late);
    } catch (error) {
      this.parts.events.error(toBusError(error, doing));
    }
  }

  private told(part: ConnectionPart): ClientEvents {
    return { works: () => this.works(part), failed: (error) => this.failed(error, part) };
  }

  private works(part: ConnectionPart): void {
    if (!this.stopping) this.parts.outages.works(part);
  }

  private failed(error: BusError, part: ConnectionPart): void {
    if (this.stopping) return;
    if (isConnectionTrouble(error)) this.parts.outages.failed(part, error);
    else this.parts.events.error(error);
  }
}
