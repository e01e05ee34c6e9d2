import { type BusError, delay, reconnectDelayMs } from '@omnibus/core/transport';
import { protocolTypeOf, toBusError } from './errors.js';
import { isStaleCoordinator } from './groups.js';
import type { KafkaBroker, KafkaCluster } from './kafkajs-cluster.js';
import { dropConnections } from './kafkajs-repairs.js';
import { hasLeaderMoved } from './leaders.js';
import { type Outcome, outcomeOf } from './produce-outcome.js';
import { type Batch, ProducerSession } from './producer-session.js';
import type { WritableRecord } from './record-encoder.js';
import { produce } from './record-requests.js';
import { halves, overtaken, planSend } from './send-plan.js';
import type { TopicView } from './topic-view.js';

/** What a publisher needs to know. */
export interface PublisherSettings {
  readonly idempotent: boolean;
  /** Number of the compression in Kafka's protocol. */
  readonly compression: number;
  readonly requestTimeoutMs: number;
}

/** How a publisher tells what happens to it. */
export interface PublisherEvents {
  /** The brokers answer. */
  works(): void;
  /** A request got no answer. */
  unreachable(error: BusError): void;
  /** The topic is gone. */
  topicMissing(): void;
}

/** The brokers answer before we give up on them. */
const BROKER_TIMEOUT_SHARE = 0.8;
const MAX_BEGINS = 6;

/**
 * Appends records to one topic, acknowledged by all in-sync replicas. One send at a time: that is what keeps the order
 * of a partition through failures.
 */
export class Publisher {
  private session: ProducerSession | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly cluster: KafkaCluster,
    private readonly view: TopicView,
    private readonly settings: PublisherSettings,
    private readonly events: PublisherEvents,
  ) {}

  /** An error per record that is not known to be stored, by its index. Never rejects. */
  send(records: readonly WritableRecord[]): Promise<Map<number, BusError>> {
    const sent = this.last.then(() => this.sendNow(records));
    this.last = sent.catch(() => undefined);
    return sent;
  }

  private async sendNow(records: readonly WritableRecord[]): Promise<Map<number, BusError>> {
    const failures = new Map<number, BusError>();
    let session: ProducerSession;
    try {
      session = await this.sessionNow();
    } catch (error) {
      const reason = this.noted(error);
      for (let index = 0; index < records.length; index += 1) failures.set(index, reason);
      return failures;
    }
    const plan = planSend(records, session);
    for (const partition of overtaken(plan, session)) session.restart(partition);
    while (plan.size > 0) await this.round(plan, session, failures);
    return failures;
  }

  private async sessionNow(): Promise<ProducerSession> {
    if (!this.session || this.session.isWornOut) this.session = await this.begin();
    return this.session;
  }

  /** Sends the first batch of every partition, and takes from the plan what needs no further send. */
  private async round(
    plan: Map<number, Batch[]>,
    session: ProducerSession,
    failures: Map<number, BusError>,
  ): Promise<void> {
    const heads = [...plan.values()].map((batches) => batches[0] as Batch);
    const outcomes = await this.produceAll(heads, session);
    for (const [batch, outcome] of outcomes) {
      const batches = plan.get(batch.partition) as Batch[];
      if (outcome.kind === 'stored') {
        session.stored(batch);
        batches.shift();
      } else if (outcome.kind === 'too-large') {
        session.refused(batch);
        if (batch.records.length > 1) batches.splice(0, 1, ...halves(batch));
        else fail(failures, [batches.shift() as Batch], outcome.error);
      } else {
        this.settle(batch, outcome, session);
        // What comes behind in the partition must not overtake it.
        fail(failures, batches.splice(0), outcome.error);
      }
      if (batches.length === 0) plan.delete(batch.partition);
    }
  }

  private settle(
    batch: Batch,
    outcome: Exclude<Outcome, { kind: 'stored' | 'too-large' }>,
    session: ProducerSession,
  ): void {
    if (outcome.kind === 'unknown') session.unknown(batch);
    else if (outcome.kind === 'out-of-sequence') session.restart(batch.partition);
    else session.refused(batch);
    if (outcome.kind === 'session-ended' && this.session === session) this.session = undefined;
  }

  private async produceAll(
    batches: readonly Batch[],
    session: ProducerSession,
  ): Promise<Map<Batch, Outcome>> {
    const outcomes = new Map<Batch, Outcome>();
    const byLeader = new Map<KafkaBroker, Batch[]>();
    for (const batch of batches) {
      try {
        const leader = await this.view.leaderOf(batch.partition);
        const group = byLeader.get(leader);
        if (group) group.push(batch);
        else byLeader.set(leader, [batch]);
      } catch (error) {
        outcomes.set(batch, this.notSent(batch, error, session));
      }
    }
    await Promise.all(
      [...byLeader].map(([leader, group]) => this.produceTo(leader, group, session, outcomes)),
    );
    return outcomes;
  }

  private async produceTo(
    leader: KafkaBroker,
    batches: readonly Batch[],
    session: ProducerSession,
    outcomes: Map<Batch, Outcome>,
  ): Promise<void> {
    try {
      const answers = await produce(leader, {
        topic: this.view.topic,
        partitions: batches.map(({ partition, records }) => ({
          partition,
          records,
          firstSequence: session.sequenceOf(partition),
          producerEpoch: session.epochOf(partition),
        })),
        producerId: session.producerId,
        compression: this.settings.compression,
        timeoutMs: Math.max(1, Math.floor(this.settings.requestTimeoutMs * BROKER_TIMEOUT_SHARE)),
      });
      this.events.works();
      const byPartition = new Map(answers.map((answer) => [answer.partition, answer] as const));
      for (const batch of batches) {
        const outcome = outcomeOf(byPartition.get(batch.partition)?.errorCode, this.view.topic);
        this.noteLeader(outcome);
        outcomes.set(batch, outcome);
      }
    } catch (error) {
      const reason = this.noted(error);
      // Behind a request without an answer every other one on the connection would wait as well.
      if (reason.code === 'TIMEOUT') dropConnections(leader, reason);
      this.view.forgetLeaders();
      const kind = reason.code === 'UNSUPPORTED' ? 'refused' : 'unknown';
      for (const batch of batches) outcomes.set(batch, { kind, error: reason });
    }
  }

  private noteLeader(outcome: Outcome): void {
    if (outcome.kind === 'stored') return;
    const type = protocolTypeOf(outcome.error.cause);
    if (type !== undefined && hasLeaderMoved(type)) this.view.forgetLeaders();
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') this.events.topicMissing();
  }

  /** It never left: a batch that was of unknown fate before still is, any other is certain not to be stored. */
  private notSent(batch: Batch, error: unknown, session: ProducerSession): Outcome {
    this.view.forgetLeaders();
    const reason = this.noted(error);
    return { kind: session.unresolvedOf(batch.partition) ? 'unknown' : 'refused', error: reason };
  }

  private noted(error: unknown): BusError {
    const reason = toBusError(error, `publish to ${this.view.topic}`);
    if (protocolTypeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') this.events.topicMissing();
    else this.events.unreachable(reason);
    return reason;
  }

  private async begin(): Promise<ProducerSession> {
    if (!this.settings.idempotent) return new ProducerSession('-1', 0);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const broker = await this.cluster.brokerPool.findConnectedBroker();
        const { producerId, producerEpoch } = await broker.initProducerId({
          transactionTimeout: this.settings.requestTimeoutMs,
        });
        return new ProducerSession(producerId, producerEpoch);
      } catch (error) {
        // A cluster that was just started gives no ids for a moment.
        if (!isStaleCoordinator(protocolTypeOf(error)) || attempt === MAX_BEGINS) throw error;
        await delay(reconnectDelayMs(attempt));
      }
    }
  }
}

function fail(failures: Map<number, BusError>, batches: readonly Batch[], error: BusError): void {
  for (const { indexes } of batches) for (const index of indexes) failures.set(index, error);
}
