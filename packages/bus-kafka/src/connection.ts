import {
  type BusError,
  type DeadLetterStore,
  delay,
  type HistoryReader,
  isConnectionTrouble,
  OncePer,
  Outages,
  type OutboundRecord,
  reconnectDelayMs,
  type TransportEvents,
} from '@omnibus/core/transport';
import { KafkaClient } from './client.js';
import { compressionType } from './compression.js';
import type { ConnectionPart } from './connection-part.js';
import type { ConsumerParts } from './consumer.js';
import { DeadLetterState } from './dead-letter-state.js';
import { KafkaDeadLetters } from './dead-letters.js';
import { toBusError } from './errors.js';
import { GroupCoordinator } from './groups.js';
import { KafkaHistory } from './history.js';
import type { KafkaCluster } from './kafkajs-cluster.js';
import { LetterWriter } from './letter-writer.js';
import type { KafkaSettings } from './options.js';
import { Publisher, type PublisherEvents } from './publisher.js';
import { warningsOf } from './security.js';
import { TopicView } from './topic-view.js';
import { Topology } from './topology.js';

/** Between two attempts to make a topic anew that somebody deleted. */
const RESTORE_INTERVAL_MS = 2_000;
/** A topic that was deleted shows in every partition, and when it is written, read and found again. */
const DELETED_INTERVAL_MS = 5_000;

/** What a bus has as soon as it is connected: everything but consuming. Keeps itself connected. */
export class Connection {
  readonly cluster: KafkaCluster;
  readonly view: TopicView;
  readonly stream: Publisher;
  readonly deadLetters: DeadLetterStore;
  readonly history: HistoryReader;
  private readonly client: KafkaClient;
  private readonly topology: Topology;
  private readonly letters: LetterWriter;
  private readonly letterView: TopicView;
  private readonly outages: Outages<ConnectionPart>;
  private readonly deleted: OncePer<BusError>;
  private readonly closing = new AbortController();
  private opened = false;
  private recovering = false;
  private restoring = false;

  constructor(
    private readonly settings: KafkaSettings,
    private readonly events: TransportEvents,
  ) {
    this.client = new KafkaClient(settings, settings.clientId, () => void this.recover());
    this.cluster = this.client.cluster;
    this.topology = new Topology(this.client, settings);
    this.outages = new Outages(events);
    this.deleted = new OncePer(DELETED_INTERVAL_MS, (error) => events.error(error));
    const { stream, deadLetters, deadLetterState } = this.topology.names;
    this.view = new TopicView(this.cluster, stream);
    this.letterView = new TopicView(this.cluster, deadLetters);
    const stateView = new TopicView(this.cluster, deadLetterState);
    const how = {
      idempotent: settings.idempotent,
      compression: compressionType(settings.compression),
      requestTimeoutMs: settings.requestTimeoutMs,
    };
    const told = this.publisherEvents();
    this.stream = new Publisher(this.cluster, this.view, how, told);
    this.letters = new LetterWriter(new Publisher(this.cluster, this.letterView, how, told), this.letterView);
    const notes = new Publisher(this.cluster, stateView, how, told);
    const state = new DeadLetterState(stateView, this.letterView, notes, () =>
      this.topology.ensureDeadLetterState(),
    );
    this.deadLetters = new KafkaDeadLetters(
      this.letterView,
      state,
      (record) => this.publish(record),
      (message) => events.warning(message),
    );
    this.history = new KafkaHistory(this.view);
  }

  async open(): Promise<void> {
    await this.client.connect();
    await this.topology.ensure();
    await Promise.all([this.view.refresh(), this.letterView.refresh()]);
    this.opened = true;
    for (const warning of warningsOf(this.settings)) this.events.warning(warning);
  }

  /** What a consumer of this bus shares with it. */
  consumerParts(group: string, pinned: ReadonlyMap<number, string>): ConsumerParts {
    return {
      settings: this.settings,
      topic: this.view.topic,
      coordinator: new GroupCoordinator(this.cluster, group),
      view: this.view,
      pinned,
      events: this.events,
      outages: this.outages,
      writeDeadLetter: (letter) => this.letters.write(letter),
      topicMissing: () => void this.restoreTopics(),
      topicRemade: (error) => this.deleted.report(error),
      unreachable: (error) => this.unreachable(error),
    };
  }

  async close(): Promise<void> {
    this.closing.abort();
    // What was never open has nothing under way that deserves to be waited for.
    if (!this.opened) this.client.abort('The connection is given up');
    await this.client.close();
  }

  private async publish(record: OutboundRecord): Promise<void> {
    const failures = await this.stream.send([record]);
    for (const error of failures.values()) throw error;
  }

  private publisherEvents(): PublisherEvents {
    return {
      works: () => this.outages.works('publishing'),
      unreachable: (error) => this.unreachable(error),
      topicMissing: () => void this.restoreTopics(),
    };
  }

  private unreachable(error: BusError): void {
    // The other failures are in the results of what was asked for.
    if (this.closing.signal.aborted || !isConnectionTrouble(error)) return;
    this.outages.failed('publishing', error);
    void this.recover();
  }

  /**
   * Connects again after a socket was closed. Brokers close idle connections, too: as long as the first attempt
   * succeeds, that is nothing to speak of.
   */
  private async recover(): Promise<void> {
    if (!this.opened || this.recovering) return;
    this.recovering = true;
    for (let attempt = 1; !this.closing.signal.aborted; attempt += 1) {
      try {
        await this.view.refresh();
        this.outages.works('publishing');
        break;
      } catch (error) {
        if (this.closing.signal.aborted) break;
        this.outages.failed(
          'publishing',
          toBusError(error, `connect to Kafka at ${this.settings.brokers.join(', ')}`),
        );
        await delay(reconnectDelayMs(attempt), this.closing.signal);
      }
    }
    this.recovering = false;
  }

  /** Somebody deleted a topic under a running bus. */
  private async restoreTopics(): Promise<void> {
    if (!this.opened || this.restoring || this.closing.signal.aborted) return;
    this.restoring = true;
    try {
      this.deleted.report(
        toBusError(
          new Error(`${this.view.topic} or ${this.letterView.topic} does not exist any more`),
          'use the topics',
        ),
      );
      await this.topology.ensure();
      await Promise.all([this.view.refresh(), this.letterView.refresh()]);
    } catch (error) {
      this.events.error(toBusError(error, 'make the topics anew'));
    }
    await delay(RESTORE_INTERVAL_MS, this.closing.signal);
    this.restoring = false;
  }
}
