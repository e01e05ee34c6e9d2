import { randomUUID } from 'node:crypto';
import {
  BusError,
  busClosed,
  type ConsumeSpec,
  type DeliverySink,
  delay,
  Elapsed,
  isConnectionTrouble,
  type Outages,
  type OutboundRecord,
  reconnectDelayMs,
  type StartableConsumption,
  type TransportEvents,
} from '@omnibus/core/transport';
import { answered, type OpenConnection, type RabbitMQClient } from './client.js';
import type { ConnectionPart } from './connection-part.js';
import { Contact } from './contact.js';
import { isMissing, toBusError } from './errors.js';
import { Journals } from './journals.js';
import { Link } from './link.js';
import { type GroupNames, groupNames } from './names.js';
import type { RabbitMQSettings } from './options.js';
import { PartitionSlot, type SlotHost, type SlotOrder } from './partition-slot.js';
import { type Place, placementOf } from './placement.js';
import { type PartitionReport, Presence, type PresenceMessage } from './presence.js';

/** What a consumer shares with the rest of the bus. */
export interface ConsumerParts {
  readonly settings: RabbitMQSettings;
  readonly client: RabbitMQClient;
  readonly partitions: number;
  readonly events: TransportEvents;
  readonly outages: Outages<ConnectionPart>;
  /** Makes anew what is missing of the group, and of what it needs. */
  readonly restoreGroup: () => Promise<void>;
  /** Something that this process needs is not there any more. */
  readonly deleted: (error: BusError) => void;
  /** Partitions whose queues were deleted. */
  readonly missingQueues: () => Promise<readonly number[]>;
  readonly removeGroup: () => Promise<void>;
  readonly announce: (exchange: string, message: PresenceMessage) => void;
  readonly saveJournal: (queue: string, journal: string) => Promise<void>;
  readonly writeDeadLetter: (queue: string, letter: OutboundRecord) => Promise<void>;
}

/** Beyond the time for draining: the goodbyes. */
const STOP_GRACE_MS = 300;
const CLOSE_GRACE_MS = 2_000;
/** The queues of an ephemeral group are removed by the broker unless somebody asks for them now and then. */
const KEEP_ALIVE_MS = 60_000;

/** One member of one group: tells the others that it is there, and consumes the partitions that are its share. */
export class RabbitMQConsumer implements StartableConsumption {
  private readonly names: GroupNames;
  private readonly link: Link;
  private readonly presence: Presence;
  private readonly journals: Journals;
  private contact: Contact | undefined;
  private readonly slots: PartitionSlot[];
  private readonly stopping = new AbortController();
  private places: readonly Place[] = [];
  private reportedOwned = '';
  private reportedSubscribed = '';
  private reconciling = false;
  private restoring: Promise<void> | undefined;
  private keepAlive: NodeJS.Timeout | undefined;
  private stopped: Promise<void> | undefined;
  /** While it starts: ends that. */
  private giveUp: ((reason: BusError) => void) | undefined;

  constructor(
    private readonly parts: ConsumerParts,
    private readonly spec: ConsumeSpec,
    sink: DeliverySink,
  ) {
    const { settings, partitions } = parts;
    this.names = groupNames(settings.exchange, spec.group.name, partitions);
    this.link = new Link(parts.client, `${spec.consumerName} consuming`, {
      opened: (open) => this.opened(open),
      failed: (error) => this.disconnected(error),
      works: () => {
        parts.outages.works('consuming');
        this.reconcileSoon();
      },
      // Nothing is published here, so that no alarm holds it back.
      blocked: () => undefined,
    });
    this.presence = new Presence(`${spec.consumerName}/${randomUUID()}`, settings.presenceIntervalMs, {
      report: () => this.report(),
      announce: (message) => parts.announce(this.names.members, message),
      changed: () => this.reconcileSoon(),
    });
    this.journals = new Journals(() => this.link.model, {
      queues: this.names.journals,
      lock: this.names.journalsLock,
      timeoutMs: settings.requestTimeoutMs,
    });
    const host = this.slotHost(sink);
    this.slots = this.names.queues.map(
      (queue, partition) => new PartitionSlot(partition, queue, host, this.stopping.signal),
    );
  }

  /** Resolves when this process consumes its share. Rejects when it may not, or is stopped before. */
  async start(): Promise<void> {
    const givenUp = new Promise<never>((_, reject) => {
      this.giveUp = reject;
    });
    try {
      await Promise.race([this.join(), givenUp]);
    } catch (error) {
      await (this.stopped ?? this.close());
      throw toBusError(error, `join the group ${this.spec.group.name}`);
    } finally {
      this.giveUp = undefined;
    }
    if (!this.spec.group.ephemeral) return;
    this.keepAlive = setInterval(() => void this.restore(), KEEP_ALIVE_MS);
  }

  private async join(): Promise<void> {
    await this.connect();
    await this.reconcile();
  }

  /** The bus is connected, so what fails here is a failure of the moment: a node that has just gone, a crash in the broker. */
  private async connect(): Promise<void> {
    const sinceStart = new Elapsed();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.link.open();
        return;
      } catch (error) {
        const isOver = this.stopping.signal.aborted || sinceStart.ms > this.parts.settings.requestTimeoutMs;
        if (isOver || !toBusError(error, 'consume').retryable) throw error;
        await delay(reconnectDelayMs(attempt), this.stopping.signal);
      }
    }
  }

  stop(timeoutMs: number): Promise<void> {
    this.stopped ??= this.stopNow(timeoutMs);
    return this.stopped;
  }

  /** Delivered by the broker and not acknowledged, by the members of the group. */
  held(partition: number): number {
    return (this.slots[partition]?.held ?? 0) + this.presence.heldByOthers(partition);
  }

  consumes(group: string): boolean {
    return this.spec.group.name === group;
  }

  /** Makes anew what is missing of the group. Never rejects. */
  restore(): Promise<void> {
    this.restoring ??= this.restoreNow()
      .catch((error: unknown) => this.failed(toBusError(error, `restore the group ${this.spec.group.name}`)))
      .finally(() => {
        this.restoring = undefined;
      });
    return this.restoring;
  }

  /**
   * The broker does not always tell a consumer that its queue was deleted, when it is made anew soon: who consumed one
   * that was missing begins again.
   */
  private async restoreNow(): Promise<void> {
    const missing = await this.parts.missingQueues();
    await this.parts.restoreGroup();
    for (const partition of missing) this.slots[partition]?.renew();
  }

  private async stopNow(timeoutMs: number): Promise<void> {
    this.stopping.abort();
    this.giveUp?.(busClosed('startConsuming'));
    clearInterval(this.keepAlive);
    // First: who is to come after this process then waits for each partition already.
    this.presence.close();
    const graceMs = this.link.isUp ? CLOSE_GRACE_MS : STOP_GRACE_MS;
    await Promise.all(this.slots.map((slot) => slot.stop(timeoutMs, graceMs)));
    await this.close();
    if (!this.spec.group.ephemeral) return;
    try {
      await this.parts.removeGroup();
    } catch (error) {
      this.parts.events.error(toBusError(error, `remove the group ${this.spec.group.name}`));
    }
  }

  private async close(): Promise<void> {
    this.stopping.abort();
    this.presence.close();
    this.contact?.close();
    await this.link.close();
    for (const slot of this.slots) slot.lost(new BusError('FENCED', 'The consumer was stopped'));
    this.parts.outages.forget('consuming');
  }

  private async opened({ model, heartbeatMs }: OpenConnection): Promise<void> {
    const { presenceIntervalMs, requestTimeoutMs } = this.parts.settings;
    const intervalMs = Math.min(presenceIntervalMs, heartbeatMs / 2);
    const settings = { intervalMs, limitMs: 2 * heartbeatMs, requestTimeoutMs };
    this.contact = await Contact.over(model, settings, (silentMs) => this.outOfTouch(silentMs));
    await answered(requestTimeoutMs, this.presence.listen(model, this.names.members));
    await this.presence.greet();
  }

  private disconnected(error: BusError): void {
    this.presence.deaf();
    this.contact?.close();
    for (const slot of this.slots) slot.lost(error);
    if (this.stopping.signal.aborted) return;
    this.tell();
    this.parts.outages.failed('consuming', error);
  }

  /** Others may have our partitions by now: better to start nothing than to do things twice. */
  private outOfTouch(silentMs: number): void {
    this.link.reset(
      new BusError(
        'FENCED',
        `The broker heard nothing of this process for ${Math.round(silentMs)} ms; it joins the group again`,
      ),
    );
  }

  /** What concerns the share of this process changed: once for all that changes at the same time. */
  private reconcileSoon(): void {
    if (this.reconciling) return;
    this.reconciling = true;
    queueMicrotask(() => {
      this.reconciling = false;
      void this.reconcile();
    });
  }

  private async reconcile(): Promise<void> {
    if (this.stopping.signal.aborted || !this.link.isUp) return;
    this.places = placementOf(this.slots.length, this.presence.members);
    const following = this.slots.map((slot) => slot.follow(this.orderFor(slot.partition)));
    this.tell();
    await Promise.all(following);
  }

  private orderFor(partition: number): SlotOrder {
    const { owner, standby } = this.places[partition] as Place;
    if (owner === this.presence.self) return { subscribe: true, yieldTo: undefined, behind: '' };
    const isThere = this.presence.reportOf(owner, partition)?.subscribed === true;
    return {
      // Not before the owner, who would have to wait then.
      subscribe: standby === this.presence.self && isThere,
      yieldTo: isThere ? owner : undefined,
      behind: owner,
    };
  }

  /** The others learn at once what this process consumes, and the application what is its share. */
  private tell(): void {
    const subscribed = this.slots.map(({ isSubscribed }) => (isSubscribed ? '1' : '0')).join('');
    if (subscribed !== this.reportedSubscribed) {
      this.reportedSubscribed = subscribed;
      this.presence.tell('here');
    }
    const owned = this.slots
      .filter((slot) => slot.isOwned || this.isPlanned(slot))
      .map((slot) => slot.partition);
    if (owned.join() === this.reportedOwned) return;
    this.reportedOwned = owned.join();
    this.parts.events.rebalanced(this.spec.group.name, owned);
  }

  private isPlanned({ partition, isSubscribed }: PartitionSlot): boolean {
    return isSubscribed && this.places[partition]?.owner === this.presence.self;
  }

  private report(): PartitionReport[] {
    return this.slots.map(({ isSubscribed, held }) => ({ subscribed: isSubscribed, held }));
  }

  private slotHost(sink: DeliverySink): SlotHost {
    const { settings, events, saveJournal, writeDeadLetter } = this.parts;
    return {
      sink,
      isInTouch: () => this.contact?.isKept === true,
      requestTimeoutMs: settings.requestTimeoutMs,
      handOverTimeoutMs: this.spec.handOverTimeoutMs,
      model: () => (this.link.isUp ? this.link.model : undefined),
      journals: () => this.journals.read(),
      changed: () => this.reconcileSoon(),
      queueMissing: () => this.restore(),
      troubled: (error) => this.troubled(error),
      failed: (error) => this.failed(error),
      saveJournal: (partition, journal) => saveJournal(this.names.journals[partition] as string, journal),
      writeDeadLetter: (letter) => writeDeadLetter(this.names.deadLetters, letter),
      fenced: (count) => events.fenced(count),
    };
  }

  /** What does not pass by itself ends the start; later it may pass. */
  private troubled(error: BusError): void {
    if (this.giveUp && !error.retryable) this.giveUp(error);
    else this.failed(error);
  }

  private failed(error: BusError): void {
    // A lost connection is told once, by the link.
    if (this.stopping.signal.aborted || isConnectionTrouble(error)) return;
    if (isMissing(error)) this.parts.deleted(error);
    else this.parts.events.error(error);
  }
}
