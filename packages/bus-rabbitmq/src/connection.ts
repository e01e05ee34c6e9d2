import {
  BusError,
  type DeadLetterStore,
  delay,
  type GroupSpec,
  type HistoryReader,
  isConnectionTrouble,
  OncePer,
  Outages,
  type PartitionLag,
  type TransportEvents,
} from '@omnibus/core/transport';
import type { ChannelModel } from 'amqplib';
import { Announcer } from './announcer.js';
import { onChannel, RabbitMQClient } from './client.js';
import type { ConnectionPart } from './connection-part.js';
import type { ConsumerParts, RabbitMQConsumer } from './consumer.js';
import { RabbitMQDeadLetters } from './dead-letters.js';
import { toBusError } from './errors.js';
import { GroupRegistry } from './group-registry.js';
import { NO_HISTORY, RabbitMQHistory } from './history.js';
import { lagOf } from './lag.js';
import { LetterWriter } from './letter-writer.js';
import { Link } from './link.js';
import { groupNames, streamNames } from './names.js';
import type { RabbitMQSettings } from './options.js';
import { Publisher } from './publisher.js';
import { warningsOf } from './security.js';
import { StreamPublisher } from './stream-publisher.js';
import { ensureGroup, ensureStream, hasGroups, missingQueues, removeGroup } from './topology.js';

/** Between two attempts to make anew what somebody deleted. */
const RESTORE_INTERVAL_MS = 1_000;
/** What was deleted shows in every partition, and again while it is made anew. */
const DELETED_INTERVAL_MS = 5_000;
/** Who may not speak to the others tries with every word. */
const MUTE_INTERVAL_MS = 5_000;

/** What a bus has as soon as it is connected: everything but consuming. Keeps itself connected. */
export class Connection {
  readonly stream: StreamPublisher;
  readonly deadLetters: DeadLetterStore;
  readonly history: HistoryReader;
  /** How many partitions there are; known once connected. */
  partitions: number;
  private readonly client: RabbitMQClient;
  private readonly link: Link;
  private readonly letters: LetterWriter;
  private readonly announcer: Announcer;
  private readonly groups: GroupRegistry;
  private readonly outages: Outages<ConnectionPart>;
  private readonly deleted: OncePer<BusError>;
  private readonly closing = new AbortController();
  private opened = false;
  private restoring = false;

  constructor(
    private readonly settings: RabbitMQSettings,
    private readonly events: TransportEvents,
    private readonly consumers: Iterable<RabbitMQConsumer>,
  ) {
    this.partitions = settings.partitions;
    this.client = new RabbitMQClient(settings);
    this.outages = new Outages(events);
    this.deleted = new OncePer(DELETED_INTERVAL_MS, (error) => events.error(error));
    this.link = new Link(this.client, 'omnibus publishing', {
      opened: ({ model }) => this.prepare(model),
      failed: (error) => this.disconnected(error),
      works: () => this.outages.works('publishing'),
      blocked: (reason) => events.warning(alarm(reason)),
    });
    const topologyMissing = (): void => void this.restore();
    const { exchange, confirmWindow, requestTimeoutMs } = settings;
    this.stream = new StreamPublisher(
      new Publisher(this.link, confirmWindow, requestTimeoutMs, `publish to ${exchange}`),
      exchange,
      { hasGroups: () => hasGroups(this.link.model, settings, this.partitions), topologyMissing },
    );
    this.letters = new LetterWriter(
      new Publisher(this.link, confirmWindow, requestTimeoutMs, 'write into a queue'),
      (message) => events.warning(message),
      topologyMissing,
    );
    const { groups: queue, groupsLock: lock } = streamNames(exchange, settings.partitions);
    this.groups = new GroupRegistry(
      () => this.link.model,
      { queue, lock, timeoutMs: settings.requestTimeoutMs },
      (to, group) => this.letters.writeGroup(to, group),
    );
    const mute = new OncePer<BusError>(MUTE_INTERVAL_MS, (error) => events.error(error));
    this.announcer = new Announcer(this.link, (error) => mute.report(error));
    this.deadLetters = new RabbitMQDeadLetters(this.administration());
    this.history = settings.history ? new RabbitMQHistory(this.historyHost()) : NO_HISTORY;
  }

  async open(): Promise<void> {
    await this.link.open();
    this.opened = true;
    for (const warning of warningsOf(this.settings)) this.events.warning(warning);
  }

  /** What a consumer of this bus shares with it. */
  consumerParts(group: GroupSpec): ConsumerParts {
    return {
      settings: this.settings,
      client: this.client,
      partitions: this.partitions,
      events: this.events,
      outages: this.outages,
      deleted: (error) => this.deleted.report(error),
      // Where its queues were deleted, so may have been what they are bound to.
      restoreGroup: async () => {
        await this.prepare(this.link.model);
        await this.ensureGroup(group);
      },
      missingQueues: () => missingQueues(this.link.model, this.settings, this.partitions, group.name),
      removeGroup: () => this.removeGroup(group.name),
      announce: (exchange, message) => this.announcer.announce(exchange, message),
      saveJournal: (queue, journal) => this.letters.writeJournal(queue, journal),
      writeDeadLetter: (queue, letter) => this.letters.writeDeadLetter(queue, letter),
    };
  }

  async ensureGroup(group: GroupSpec): Promise<void> {
    await ensureGroup(this.link.model, this.settings, this.partitions, group);
    await this.groups.add(group.name);
  }

  async lag(group: string): Promise<readonly PartitionLag[]> {
    const names = groupNames(this.settings.exchange, group, this.partitions);
    const member = [...this.consumers].find((consumer) => consumer.consumes(group));
    try {
      return await onChannel(this.link.model, this.settings.requestTimeoutMs, (channel) =>
        lagOf(channel, names, member && ((partition) => member.held(partition))),
      );
    } catch (error) {
      throw toBusError(error, `read the lag of the group ${group}`);
    }
  }

  async ping(timeoutMs: number): Promise<void> {
    try {
      await onChannel(this.link.model, timeoutMs, () => Promise.resolve());
    } catch (error) {
      throw toBusError(error, 'reach RabbitMQ');
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.link.close();
  }

  private async removeGroup(name: string): Promise<void> {
    await removeGroup(this.link.model, this.settings, this.partitions, name);
    await this.groups.remove(name);
  }

  /**
   * Before anything is published: a broker that starts again takes messages before its streams are back. They would be
   * confirmed without the history, and before RabbitMQ 4.0 some of those after them would never be confirmed.
   */
  private async prepare(model: ChannelModel): Promise<void> {
    this.partitions = await ensureStream(model, this.settings);
  }

  private disconnected(error: BusError): void {
    if (!this.opened || this.closing.signal.aborted) return;
    if (isConnectionTrouble(error)) this.outages.failed('publishing', error);
    else this.events.error(error);
  }

  /** Somebody deleted an exchange, a queue or a binding under a running bus. */
  private async restore(): Promise<void> {
    if (!this.opened || this.restoring || this.closing.signal.aborted) return;
    this.restoring = true;
    try {
      this.deleted.report(
        new BusError('BROKER', `Something that ${this.settings.exchange} needs was deleted; it is made anew`),
      );
      await this.prepare(this.link.model);
      await Promise.all([...this.consumers].map((consumer) => consumer.restore()));
    } catch (error) {
      const cause = toBusError(error, 'make anew what was deleted');
      if (!isConnectionTrouble(cause)) this.events.error(cause);
    }
    await delay(RESTORE_INTERVAL_MS, this.closing.signal);
    this.restoring = false;
  }

  private administration(): ConstructorParameters<typeof RabbitMQDeadLetters>[0] {
    const partitions = (): number => this.partitions;
    return {
      settings: this.settings,
      get partitions() {
        return partitions();
      },
      model: () => this.link.model,
      groups: () => this.groups.list(),
      writeReplay: (queue, record) => this.letters.writeReplay(queue, record),
    };
  }

  private historyHost(): ConstructorParameters<typeof RabbitMQHistory>[0] {
    const partitions = (): number => this.partitions;
    return {
      queue: streamNames(this.settings.exchange, this.settings.partitions).history,
      timeoutMs: this.settings.requestTimeoutMs,
      get partitions() {
        return partitions();
      },
      model: () => this.link.model,
      writeMarker: (queue, id, type) => this.letters.writeMarker(queue, id, type),
    };
  }
}

function alarm(reason: string | undefined): string {
  return reason === undefined
    ? 'RabbitMQ takes messages again'
    : `RabbitMQ holds publishers back (${reason}): what is published waits until its alarm is over`;
}
