import type { Delivery, KeyLane } from './delivery.js';
import { type AttemptOutcome, Dispatcher } from './dispatch.js';
import type { EngineParts } from './engine-parts.js';
import { BusError, busErrorOf } from './errors.js';
import { FailurePolicy } from './failure-policy.js';
import { type LaneHost, PartitionLane } from './partition-lane.js';
import { Scheduler } from './scheduler.js';
import { SerialMode } from './serial-mode.js';
import type { AssignedPartition, DeliverySink, InboundRecord, PartitionPort } from './transport.js';
import type { RunCounts } from './unheard-runs.js';

/** How many deliveries one partition may be admitted before the next partition gets its turn. */
const ADMISSION_CHUNK = 64;

/**
 * The consume path: partitions → key lanes → scheduler → dispatcher → failure policy → settlement. It owns the credit
 * (`maxInFlight`) and tells ports what settled once per turn of the event loop. See DESIGN.md, "The consume path".
 */
export class ConsumeEngine implements DeliverySink, LaneHost {
  readonly opener: string;
  readonly maxAttempts: number;
  readonly maxInFlight: number;
  private readonly concurrency: number;
  /** Milliseconds since the epoch; 0 for never. */
  lastSettledAtMs = 0;
  private readonly lanes = new Set<PartitionLane>();
  private readonly serialMode: SerialMode;
  private readonly scheduler: Scheduler;
  private readonly dispatcher: Dispatcher;
  private readonly failures: FailurePolicy;
  private readonly dirtyLanes = new Set<PartitionLane>();
  private readonly waitingLanes = new Set<PartitionLane>();
  private readonly haltedLanes = new Set<PartitionLane>();
  readonly formerRuns: Map<number, RunCounts> = new Map();
  private closed = false;
  private goingOn = false;

  constructor(private readonly parts: EngineParts) {
    const { options, clock } = parts;
    this.opener = parts.opener;
    this.maxAttempts = options.retry.maxRetries + 1;
    this.maxInFlight = options.maxInFlight;
    this.concurrency = options.concurrency;
    this.serialMode = new SerialMode(this);
    this.scheduler = new Scheduler(options.concurrency, clock, this.serialMode, (lane) => this.start(lane));
    this.dispatcher = new Dispatcher(
      {
        ...options,
        group: parts.group,
        destination: parts.destination,
        sharedReplays: parts.sharedReplays,
        maxAttempts: this.maxAttempts,
      },
      parts.registry,
      parts.services,
      parts.tracing,
      clock,
      (delivery, outcome, durationMs) => this.attemptEnded(delivery, outcome, durationMs),
      () => {
        parts.stats.handlerErrors += 1;
      },
    );
    this.failures = new FailurePolicy(parts, {
      again: (delivery) => this.again(delivery),
      settle: (delivery) => this.settle(delivery),
      lane: laneOf,
    });
  }

  /** Partitions that stand still because an event was given up and may not be dropped. */
  get haltedPartitions(): readonly number[] {
    return [...this.haltedLanes].map(({ partition }) => partition).sort((a, b) => a - b);
  }

  get running(): number {
    return this.scheduler.running;
  }

  get oldestInFlightAtMs(): number | undefined {
    let oldest: number | undefined;
    for (const lane of this.lanes) {
      const admittedAtMs = lane.oldestUnsettled?.admittedAtMs;
      if (admittedAtMs !== undefined && (oldest === undefined || admittedAtMs < oldest))
        oldest = admittedAtMs;
    }
    return oldest;
  }

  assign(partition: number, port: PartitionPort): AssignedPartition {
    const lane = new PartitionLane(partition, port, this);
    this.lanes.add(lane);
    if (this.closed) lane.lost();
    return lane;
  }

  pause(): void {
    this.scheduler.pause();
  }

  resume(): void {
    if (!this.closed) this.scheduler.resume();
  }

  /** Gives everything up at once, and for good: no handler starts after it. Running ones see their signal abort. Returns how many there are. */
  abandonAll(): number {
    this.closed = true;
    this.scheduler.pause();
    const running = this.running;
    for (const lane of [...this.lanes]) lane.lost();
    return running;
  }

  close(): void {
    this.abandonAll();
    this.dispatcher.stop();
  }

  // What lanes need of the engine.

  now(): number {
    return this.parts.clock.now();
  }

  weightOf({ value }: InboundRecord): number {
    const { maxEventBytes } = this.parts.options;
    return value === null || value.byteLength <= maxEventBytes
      ? 1
      : Math.ceil(value.byteLength / maxEventBytes);
  }

  suspected(lane: PartitionLane): void {
    this.serialMode.suspected(lane);
  }

  halted(lane: PartitionLane): void {
    this.haltedLanes.add(lane);
    this.waitingLanes.delete(lane);
    this.admit();
    this.applyBackPressure();
  }

  delay(ms: number): Promise<void> {
    return new Promise((resolve) => this.parts.timers.schedule(ms, resolve));
  }

  ready(lane: KeyLane): void {
    this.scheduler.enqueue(lane);
  }

  pump(): void {
    this.scheduler.pump();
  }

  problem(error: unknown, doing: string): void {
    this.parts.onError(busErrorOf(error, doing));
  }

  offered(lane: PartitionLane): void {
    if (lane.waiting > 0) this.waitingLanes.add(lane);
    this.admit();
    this.applyBackPressure();
    this.scheduler.pump();
    this.flushInTime();
  }

  dirty(lane: PartitionLane): void {
    if (this.dirtyLanes.size === 0) this.parts.clock.soon(() => this.tellSettled());
    this.dirtyLanes.add(lane);
  }

  abandoned(lane: PartitionLane, deliveries: readonly Delivery[]): void {
    this.lanes.delete(lane);
    this.waitingLanes.delete(lane);
    this.dirtyLanes.delete(lane);
    this.haltedLanes.delete(lane);
    this.parts.stats.inFlight -= deliveries.length;
    this.parts.stats.eventsReleased += deliveries.length;
    const reason = new BusError(
      'FENCED',
      `Partition ${lane.partition} went to another process; what this handler still does may be done there again`,
    );
    for (const delivery of deliveries) delivery.abort?.(reason);
    this.goOnSoon();
  }

  /** Partitions are lost together, in one call each: no handler of those that are still to come may start in between. */
  private goOnSoon(): void {
    if (this.goingOn) return;
    this.goingOn = true;
    this.parts.clock.soon(() => {
      this.goingOn = false;
      this.admit();
      this.applyBackPressure();
      this.scheduler.pump();
    });
  }

  /** Handled, and not yet durable: what a crash now would repeat. */
  private get undurable(): number {
    let undurable = 0;
    for (const lane of this.lanes) undurable += lane.undurable;
    return undurable;
  }

  /**
   * How many more deliveries may be taken in hand. What is settled counts until it is durable: in an outage it piles up,
   * and all of it may be handled again. What stands still for good in a halted partition does not count.
   */
  private get credit(): number {
    let halted = 0;
    for (const lane of this.haltedLanes) halted += lane.unsettled + lane.excess;
    let held = 0;
    for (const lane of this.lanes) held += lane.undurable + lane.excess;
    return this.maxInFlight + halted - this.parts.stats.inFlight - held;
  }

  /** In time, so that handling need not wait; and at once when handlers have nothing to do but what waits for it. */
  private flushInTime(): void {
    const { undurable } = this;
    if (undurable === 0) return;
    const isMuch = undurable >= this.maxInFlight / 2;
    const mayStarve = (): boolean => this.waitingLanes.size > 0 && this.running < this.concurrency;
    if (!isMuch && !(mayStarve() && this.credit <= 0)) return;
    for (const lane of this.lanes) lane.flushInBackground();
  }

  private admit(): void {
    const { stats } = this.parts;
    for (let idle = 0; idle < this.waitingLanes.size; ) {
      const { credit } = this;
      const lane = this.waitingLanes.values().next().value;
      if (!lane || credit <= 0) return;
      // Round robin: the lane goes behind the others.
      this.waitingLanes.delete(lane);
      const admitted = lane.admit(Math.min(credit, ADMISSION_CHUNK));
      if (lane.waiting > 0) this.waitingLanes.add(lane);
      idle = admitted === 0 ? idle + 1 : 0;
      if (admitted === 0) continue;
      stats.inFlight += admitted;
      stats.eventsConsumed += admitted;
      stats.lastConsumeAtMs = this.now();
      this.parts.metrics.consumed(admitted);
    }
  }

  private applyBackPressure(): void {
    let waiting = 0;
    for (const lane of this.waitingLanes) waiting += lane.waiting;
    const tooMuch = waiting > this.maxInFlight;
    const little = waiting <= this.maxInFlight / 2;
    for (const lane of this.lanes) {
      // Where nothing waits is read on: one partition that does not get on must not stop the others.
      if (little || lane.waiting === 0) lane.resumePort();
      else if (tooMuch) lane.pausePort();
    }
  }

  private tellSettled(): void {
    const lanes = [...this.dirtyLanes];
    this.dirtyLanes.clear();
    this.lastSettledAtMs = this.now();
    for (const lane of lanes) lane.tellSettled();
    this.admit();
    this.applyBackPressure();
    this.scheduler.pump();
    this.flushInTime();
  }

  private start(keyLane: KeyLane): void {
    const delivery = keyLane.head as Delivery;
    const lane = laneOf(delivery);
    lane.busy += 1;
    if (this.serialMode.isOn) void this.startInSerialMode(delivery, lane);
    else this.run(delivery, lane);
  }

  private async startInSerialMode(delivery: Delivery, lane: PartitionLane): Promise<void> {
    if (await this.serialMode.announce(delivery, lane)) return this.run(delivery, lane);
    // Handed over meanwhile, or lost: it waits until the partition is open again, or is forgotten.
    this.scheduler.enqueue(delivery.lane);
    this.freeSlot(lane);
  }

  private run(delivery: Delivery, lane: PartitionLane): void {
    const { deaths } = lane.journal.attemptsOf(delivery.record.position);
    if (delivery.attemptsMade >= this.maxAttempts && !delivery.unfinished) {
      this.failures.attemptsUsedUp(delivery, deaths);
      this.freeSlot(lane);
      return;
    }
    if (delivery.redelivered && !delivery.unfinished) this.parts.stats.redeliveries += 1;
    if (delivery.attemptsMade > 0) {
      this.parts.stats.retries += 1;
      this.parts.metrics.retried();
    }
    this.dispatcher.run(delivery);
  }

  private attemptEnded(delivery: Delivery, outcome: AttemptOutcome, durationMs: number): void {
    const lane = laneOf(delivery);
    const { stats } = this.parts;
    if (lane.isLost || outcome.kind === 'abandoned') {
      this.freeSlot(lane);
      return;
    }
    if (outcome.kind === 'succeeded') {
      stats.eventsProcessedSuccess += 1;
      stats.handlerLatency.record(durationMs);
      this.parts.metrics.processed(durationMs);
      this.settle(delivery);
    } else if (outcome.kind === 'ignored') {
      stats.eventsIgnored += 1;
      this.settle(delivery);
    } else {
      this.failures.decide(delivery, outcome, durationMs);
    }
    this.freeSlot(lane);
  }

  private freeSlot(lane: PartitionLane): void {
    this.scheduler.release();
    lane.workEnded();
    this.scheduler.pump();
  }

  private again(delivery: Delivery): void {
    if (laneOf(delivery).isLost) return;
    this.scheduler.enqueue(delivery.lane);
    this.scheduler.pump();
  }

  private settle(delivery: Delivery): void {
    this.parts.stats.inFlight -= 1;
    laneOf(delivery).settle(delivery);
  }
}

function laneOf(delivery: Delivery): PartitionLane {
  return delivery.lane.owner as PartitionLane;
}
