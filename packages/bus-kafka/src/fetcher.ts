import { BusError } from '@omnibus/core/transport';
import { committedRecords } from './committed-records.js';
import { deferred, delay, reconnectDelayMs } from './delay.js';
import { toBusError } from './errors.js';
import type { KafkaCluster } from './kafkajs-cluster.js';
import { EARLIEST, LATEST, offsetAfter, offsetsAt } from './offsets.js';
import type { OwnedPartition } from './owned-partition.js';
import { type FetchedPartition, fetch, protocolError } from './protocol.js';
import { dropConnections } from './publisher.js';
import { fromMessage } from './record.js';
import { brokerById, type TopicView } from './topic-view.js';

/** How much and how long. */
export interface FetchSettings {
  readonly maxWaitTimeMs: number;
  readonly maxBytesPerPartition: number;
  readonly maxBytes: number;
}

/** How the fetcher tells what happens to it. */
export interface FetcherEvents {
  works(): void;
  failed(error: BusError): void;
  /** Something that does not end the connection. */
  problem(error: BusError): void;
  topicMissing(): void;
}

/** Fetches shorter than this after a pause, so that a resumed partition need not wait long for its turn. */
const MIN_WAIT_MS = 5;
const MIN_FETCH_BYTES = 65_536;
const LEADER_MOVED: ReadonlySet<string> = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
]);

interface Loop {
  wake: () => void;
}

/** Fetches the owned partitions, one request at a time per broker, and hands out what comes. Never waits for a handler. */
export class Fetcher {
  private readonly partitions = new Map<number, OwnedPartition>();
  private readonly loops = new Map<number, Loop>();
  private readonly closing = new AbortController();
  private lookingForLeaders = false;
  private failures = 0;
  private turn = 0;
  /** Shrinks on a link so slow that a full fetch would time out. */
  private byteShare = 1;

  constructor(
    private readonly cluster: KafkaCluster,
    private readonly view: TopicView,
    private readonly settings: FetchSettings,
    private readonly events: FetcherEvents,
  ) {}

  add(partition: OwnedPartition): void {
    this.partitions.set(partition.partition, partition);
    this.wakeFor(partition);
  }

  remove(partition: OwnedPartition): void {
    if (this.partitions.get(partition.partition) === partition) this.partitions.delete(partition.partition);
  }

  /** A partition may be fetched from again. */
  wakeFor({ partition }: OwnedPartition): void {
    if (this.closing.signal.aborted) return;
    const leader = this.view.leaderIdOf(partition);
    if (leader === undefined) void this.findLeaders();
    else this.loopOf(leader).wake();
  }

  /** Nothing is handed out any more. */
  close(): void {
    this.closing.abort();
    this.partitions.clear();
    for (const loop of this.loops.values()) loop.wake();
  }

  private loopOf(nodeId: number): Loop {
    const running = this.loops.get(nodeId);
    if (running) return running;
    const loop: Loop = { wake: () => undefined };
    this.loops.set(nodeId, loop);
    void this.run(nodeId, loop).finally(() => {
      if (this.loops.get(nodeId) === loop) this.loops.delete(nodeId);
      this.wakeAll();
    });
    return loop;
  }

  private wakeAll(): void {
    for (const partition of this.partitions.values()) this.wakeFor(partition);
  }

  private async run(nodeId: number, loop: Loop): Promise<void> {
    // Partitions are owned several at a time; the first fetch should ask for all of them.
    await delay(0);
    while (!this.closing.signal.aborted) {
      const led = [...this.partitions.values()].filter(
        ({ partition }) => this.view.leaderIdOf(partition) === nodeId,
      );
      if (led.length === 0) return;
      const due = led.filter(({ paused, seeking }) => !paused && !seeking);
      if (due.length > 0) {
        if (!(await this.fetchFrom(nodeId, due, this.waitFor(led)))) return;
      } else {
        const woken = deferred();
        loop.wake = woken.resolve;
        await woken.promise;
        loop.wake = () => undefined;
      }
    }
  }

  /**
   * A fetch that waits cannot take in a partition that is resumed meanwhile. So it waits about as long as the pause has
   * lasted: short pauses cost little time, long ones few requests.
   */
  private waitFor(partitions: readonly OwnedPartition[]): number {
    let lastPauseMs = 0;
    for (const { paused, pausedAtMs } of partitions)
      if (paused) lastPauseMs = Math.max(lastPauseMs, pausedAtMs);
    if (lastPauseMs === 0) return this.settings.maxWaitTimeMs;
    return Math.min(this.settings.maxWaitTimeMs, Math.max(MIN_WAIT_MS, Date.now() - lastPauseMs));
  }

  /** False when the leaders have to be looked for again. */
  private async fetchFrom(
    nodeId: number,
    due: readonly OwnedPartition[],
    maxWaitMs: number,
  ): Promise<boolean> {
    const asked = this.rotated(due).map((owned) => ({ owned, from: owned.fetchOffset }));
    try {
      const broker = await brokerById(this.cluster, nodeId);
      const answers = await this.request(broker, asked, maxWaitMs);
      this.events.works();
      const leadersKnown = this.handOut(asked, answers);
      this.failures = leadersKnown ? 0 : this.failures + 1;
      return leadersKnown;
    } catch (error) {
      if (this.closing.signal.aborted) return false;
      this.failures += 1;
      const reason = toBusError(error, `fetch from ${this.view.topic}`);
      this.events.failed(reason);
      this.view.forgetLeaders();
      return false;
    }
  }

  private async request(
    broker: Awaited<ReturnType<typeof brokerById>>,
    asked: readonly { readonly owned: OwnedPartition; readonly from: string }[],
    maxWaitMs: number,
  ): Promise<readonly FetchedPartition[]> {
    const { maxBytes, maxBytesPerPartition } = this.settings;
    const share = (bytes: number): number => Math.max(MIN_FETCH_BYTES, Math.floor(bytes * this.byteShare));
    try {
      const answers = await fetch(broker, {
        topic: this.view.topic,
        partitions: asked.map(({ owned, from }) => ({
          partition: owned.partition,
          fetchOffset: from,
          maxBytes: share(maxBytesPerPartition),
        })),
        maxWaitMs,
        maxBytes: share(maxBytes),
      });
      if (this.byteShare < 1) this.byteShare = Math.min(1, this.byteShare * 2);
      return answers;
    } catch (error) {
      if ((error as { readonly name?: string }).name === 'KafkaJSRequestTimeoutError') {
        this.byteShare = Math.max(this.byteShare / 4, 1 / 1_024);
        dropConnections(broker, error as Error);
      }
      throw error;
    }
  }

  /** Another partition comes first each time: a fetch that is full leaves out the last ones. */
  private rotated(partitions: readonly OwnedPartition[]): readonly OwnedPartition[] {
    this.turn = (this.turn + 1) % partitions.length;
    return this.turn === 0 ? partitions : [...partitions.slice(this.turn), ...partitions.slice(0, this.turn)];
  }

  private handOut(
    asked: readonly { readonly owned: OwnedPartition; readonly from: string }[],
    answers: readonly FetchedPartition[],
  ): boolean {
    const byPartition = new Map(asked.map((each) => [each.owned.partition, each] as const));
    let leadersKnown = true;
    for (const answer of answers) {
      const question = byPartition.get(answer.partition);
      // Lost meanwhile, or lost and owned anew from another offset: then it is not what was asked for.
      if (
        !question ||
        question.owned.isLost ||
        this.partitions.get(answer.partition) !== question.owned ||
        question.owned.fetchOffset !== question.from
      )
        continue;
      if (answer.errorCode === 0) deliver(question.owned, answer);
      else leadersKnown = this.failed(question.owned, answer.errorCode) && leadersKnown;
    }
    return leadersKnown;
  }

  /** False when the leaders have to be looked for again. */
  private failed(owned: OwnedPartition, errorCode: number): boolean {
    const error = protocolError(errorCode);
    if (error.type === 'OFFSET_OUT_OF_RANGE') {
      void this.seekIntoRange(owned);
      return true;
    }
    if (error.type === 'UNKNOWN_TOPIC_OR_PARTITION') this.events.topicMissing();
    if (LEADER_MOVED.has(error.type)) {
      this.view.forgetLeaders();
      return false;
    }
    this.events.problem(toBusError(error, `fetch partition ${owned.partition} of ${this.view.topic}`));
    void this.rest(owned);
    return true;
  }

  /** What was deleted before it was read is gone; everything that is left must be delivered. */
  private async seekIntoRange(owned: OwnedPartition): Promise<void> {
    owned.seeking = true;
    try {
      const [starts, ends] = [
        await offsetsAt(this.view, [owned.partition], EARLIEST),
        await offsetsAt(this.view, [owned.partition], LATEST),
      ];
      const start = starts.get(owned.partition) ?? '0';
      const lost = BigInt(start) - BigInt(owned.fetchOffset);
      const what =
        lost > 0n
          ? `${lost} events were deleted by retention before the group read them`
          : `the topic ends at ${ends.get(owned.partition) ?? start}: it was truncated or made anew, and is read from its start`;
      this.events.problem(
        new BusError(
          'BROKER',
          `Offset ${owned.fetchOffset} of partition ${owned.partition} of ${this.view.topic} does not exist; ${what}`,
          { retryable: false },
        ),
      );
      owned.fetchOffset = start;
    } catch (error) {
      this.events.failed(toBusError(error, `find the range of partition ${owned.partition}`));
      this.failures += 1;
      await delay(reconnectDelayMs(this.failures), this.closing.signal);
    } finally {
      owned.seeking = false;
      this.wakeFor(owned);
    }
  }

  private async rest(owned: OwnedPartition): Promise<void> {
    owned.seeking = true;
    this.failures += 1;
    await delay(reconnectDelayMs(this.failures), this.closing.signal);
    owned.seeking = false;
    this.wakeFor(owned);
  }

  private async findLeaders(): Promise<void> {
    if (this.lookingForLeaders) return;
    this.lookingForLeaders = true;
    try {
      for (let attempt = this.failures; !this.closing.signal.aborted; attempt += 1) {
        if (attempt > 0) await delay(reconnectDelayMs(attempt), this.closing.signal);
        if (await this.askForLeaders()) break;
      }
    } finally {
      this.lookingForLeaders = false;
    }
    for (const owned of this.partitions.values()) this.wakeFor(owned);
  }

  private async askForLeaders(): Promise<boolean> {
    try {
      await this.view.refresh();
      return [...this.partitions.keys()].every((partition) => this.view.leaderIdOf(partition) !== undefined);
    } catch (error) {
      if ((error as { readonly type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION')
        this.events.topicMissing();
      this.events.failed(toBusError(error, `find out who leads ${this.view.topic}`));
      return false;
    }
  }
}

function deliver(owned: OwnedPartition, answer: FetchedPartition): void {
  const last = answer.messages[answer.messages.length - 1];
  if (!last) return;
  const next = offsetAfter(last.offset);
  if (BigInt(next) <= BigInt(owned.fetchOffset)) return;
  owned.deliver(committedRecords(answer, owned.fetchOffset).map(fromMessage), next);
}
