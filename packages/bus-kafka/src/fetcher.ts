import { BusError, deferred, delay, isConnectionTrouble, reconnectDelayMs } from '@omnibus/core/transport';
import { committedRecords } from './committed-records.js';
import { protocolTypeOf, toBusError } from './errors.js';
import type { FetchedPartition } from './fetch-decoder.js';
import { FetchSizer, type FetchSizes } from './fetch-sizer.js';
import type { KafkaCluster } from './kafkajs-cluster.js';
import { hasLeaderMoved } from './leaders.js';
import { explainOutOfRange } from './out-of-range.js';
import type { OwnedPartition } from './owned-partition.js';
import { protocolError } from './protocol.js';
import { brokerById, type TopicView } from './topic-view.js';

/** How much and how long. */
export interface FetchSettings extends FetchSizes {
  readonly maxWaitTimeMs: number;
}

/** How the fetcher tells what happens to it. */
export interface FetcherEvents {
  works(): void;
  failed(error: BusError): void;
  /** Something that does not end the connection. */
  problem(error: BusError): void;
  topicMissing(): void;
  /** Told of each partition. */
  topicRemade(error: BusError): void;
}

/** Fetches shorter than this after a pause, so that a resumed partition need not wait long for its turn. */
const MIN_WAIT_MS = 5;

/** A partition in a request. By the object it is seen whether it is still the same ownership when the answer comes. */
interface Asked {
  readonly owned: OwnedPartition;
  readonly partition: number;
  readonly from: string;
}

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
  private readonly sizer: FetchSizer;

  constructor(
    private readonly cluster: KafkaCluster,
    private readonly view: TopicView,
    private readonly settings: FetchSettings,
    private readonly events: FetcherEvents,
  ) {
    this.sizer = new FetchSizer(view.topic, settings);
  }

  add(partition: OwnedPartition): void {
    partition.topicId = this.view.topicId;
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
      const due = led.filter(({ isDue }) => isDue);
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
    const asked = this.rotated(due).map(
      (owned): Asked => ({ owned, partition: owned.partition, from: owned.fetchOffset }),
    );
    try {
      const broker = await brokerById(this.cluster, nodeId);
      const answers = await this.sizer.fetch(broker, asked, maxWaitMs);
      this.events.works();
      const leadersKnown = this.handOut(asked, answers);
      this.failures = leadersKnown ? 0 : this.failures + 1;
      return leadersKnown;
    } catch (error) {
      if (this.closing.signal.aborted) return false;
      this.failures += 1;
      const reason = toBusError(error, `fetch from ${this.view.topic}`);
      this.events.failed(reason);
      this.view.forgetLeaders(asked.map(({ partition }) => partition));
      return false;
    }
  }

  /** Another partition comes first each time: a fetch that is full leaves out the last ones. */
  private rotated(partitions: readonly OwnedPartition[]): readonly OwnedPartition[] {
    this.turn = (this.turn + 1) % partitions.length;
    return this.turn === 0 ? partitions : [...partitions.slice(this.turn), ...partitions.slice(0, this.turn)];
  }

  private handOut(asked: readonly Asked[], answers: readonly FetchedPartition[]): boolean {
    const byPartition = new Map(asked.map((each) => [each.partition, each] as const));
    let leadersKnown = true;
    for (const answer of answers) {
      const question = byPartition.get(answer.partition);
      if (!question || !this.isCurrent(question)) continue;
      if (answer.errorCode !== 0)
        leadersKnown = this.failed(question.owned, answer.errorCode) && leadersKnown;
      else if (answer.unreadable) this.rest(question.owned, answer.unreadable);
      else deliver(question, answer);
    }
    return leadersKnown;
  }

  /** Not lost meanwhile, nor owned anew from another offset: then the answer is not to what is asked now. */
  private isCurrent({ owned, partition, from }: Asked): boolean {
    return !owned.isLost && this.partitions.get(partition) === owned && owned.fetchOffset === from;
  }

  /** False when the leaders have to be looked for again. */
  private failed(owned: OwnedPartition, errorCode: number): boolean {
    const error = protocolError(errorCode);
    if (error.type === 'OFFSET_OUT_OF_RANGE') {
      void this.seekIntoRange(owned);
      return true;
    }
    if (error.type === 'UNKNOWN_TOPIC_OR_PARTITION') this.events.topicMissing();
    if (hasLeaderMoved(error.type)) {
      this.view.forgetLeaders([owned.partition]);
      return false;
    }
    this.rest(owned, toBusError(error, `fetch partition ${owned.partition} of ${this.view.topic}`));
    return true;
  }

  private async seekIntoRange(owned: OwnedPartition): Promise<void> {
    owned.seeking = true;
    try {
      const { start, what } = await explainOutOfRange(this.view, owned.partition, owned.fetchOffset);
      this.events.problem(what);
      owned.moveTo(start);
      owned.seeking = false;
      this.wakeFor(owned);
    } catch (error) {
      this.rest(owned, toBusError(error, `find the range of partition ${owned.partition}`));
    }
  }

  /** Leaves a partition alone for a while, longer each time; the others go on. */
  private rest(owned: OwnedPartition, why: BusError): void {
    if (isConnectionTrouble(why)) this.events.failed(why);
    else this.events.problem(why);
    owned.seeking = true;
    owned.fetchFailures += 1;
    void delay(reconnectDelayMs(owned.fetchFailures), this.closing.signal).then(() => {
      owned.seeking = false;
      this.wakeFor(owned);
    });
  }

  /** Until every partition has a leader; those that have one are fetched meanwhile. */
  private async findLeaders(): Promise<void> {
    if (this.lookingForLeaders) return;
    this.lookingForLeaders = true;
    for (let attempt = this.failures; !this.closing.signal.aborted; attempt += 1) {
      if (attempt > 0) await delay(reconnectDelayMs(attempt), this.closing.signal);
      if (await this.askForLeaders()) break;
    }
    this.lookingForLeaders = false;
    // Some may have lost theirs again in the meantime.
    this.wakeAll();
  }

  private async askForLeaders(): Promise<boolean> {
    try {
      await this.view.refresh();
    } catch (error) {
      if (protocolTypeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') this.events.topicMissing();
      else this.events.failed(toBusError(error, `find out who leads ${this.view.topic}`));
      return false;
    }
    let all = true;
    for (const owned of this.partitions.values()) {
      this.noticeNewTopic(owned);
      const leader = this.view.leaderIdOf(owned.partition);
      if (leader === undefined) all = false;
      else this.loopOf(leader).wake();
    }
    return all;
  }

  /** An offset of the former topic may exist in the new one as well, where it would skip what comes before. */
  private noticeNewTopic(owned: OwnedPartition): void {
    const { topicId, topic } = this.view;
    if (topicId === undefined) return;
    if (owned.topicId !== undefined && topicId !== owned.topicId) {
      const message = `${topic} was deleted and made anew; it is read from its start`;
      this.events.topicRemade(new BusError('BROKER', message, { retryable: false }));
      owned.moveTo('0');
    }
    owned.topicId = topicId;
  }
}

function deliver({ owned, from }: Asked, answer: FetchedPartition): void {
  const { records, next } = committedRecords(answer, from);
  if (next !== undefined) owned.deliver(records, next);
}
