import type { PreparedRecord } from './envelope.js';
import { BusError, busErrorOf, PublishError, type PublishFailure } from './errors.js';
import { Fifo } from './fifo.js';
import { partitionOf } from './partition.js';
import { backoffDelayMs } from './retry.js';
import type { StatsCollector } from './stats.js';
import type { Clock, TimerQueue } from './timers.js';
import type { Transport } from './transport.js';

/** Between two tries of what failed with a retryable error. */
const SEND_BACKOFF = { baseDelayMs: 50, maxDelayMs: 2_000, factor: 2, jitter: 0.2 };

/** What the accumulator needs. */
export interface AccumulatorOptions {
  readonly lingerMs: number;
  readonly timeoutMs: number;
  readonly maxBufferedBytes: number;
}

/** One `publish` call that waits for its records. */
interface Ticket {
  readonly total: number;
  readonly deadlineMs: number;
  remaining: number;
  failures: PublishFailure[] | undefined;
  resolve(): void;
  reject(error: BusError): void;
}

interface Pending {
  readonly record: PreparedRecord;
  readonly ticket: Ticket;
  readonly index: number;
}

/**
 * Turns concurrent publishes into batches. One send is outstanding at a time, which is what keeps the order of a key
 * through repeated sends: while it travels, the next batch gathers. Every call gets one answer, for its own events.
 */
export class Accumulator {
  private readonly queue = new Fifo<Pending>();
  /** What is being sent. */
  private travelling: readonly Pending[] = [];
  private bufferedBytes = 0;
  private open = false;
  private sending = false;
  private scheduled = false;
  private failedSends = 0;
  private lastError: BusError | undefined;
  private aborted: BusError | undefined;
  private idleWaiters: (() => void)[] = [];

  constructor(
    private readonly transport: Pick<Transport, 'send' | 'partitions' | 'limits'>,
    private readonly options: AccumulatorOptions,
    private readonly stats: StatsCollector,
    private readonly clock: Clock,
    private readonly timers: TimerQueue,
    private readonly random: () => number,
    /** Called when something is queued while the transport is not open. */
    private readonly connect: () => void,
  ) {}

  /** Queues in the order of the calls, synchronously. Resolves when every record is durable. */
  add(records: readonly PreparedRecord[]): Promise<void> {
    if (this.aborted) return Promise.reject(this.aborted);
    let bytes = 0;
    for (const record of records) bytes += record.bytes;
    if (this.bufferedBytes > 0 && this.bufferedBytes + bytes > this.options.maxBufferedBytes) {
      return Promise.reject(
        new BusError(
          'BACKPRESSURE',
          `${this.bufferedBytes} bytes wait to be published and publish.maxBufferedBytes is ${this.options.maxBufferedBytes}: publish more slowly, or await each call`,
        ),
      );
    }
    this.bufferedBytes += bytes;
    this.stats.pendingPublishes += records.length;
    return new Promise((resolve, reject) => {
      const ticket: Ticket = {
        total: records.length,
        deadlineMs: this.clock.elapsedMs() + this.options.timeoutMs,
        remaining: records.length,
        failures: undefined,
        resolve,
        reject,
      };
      for (let index = 0; index < records.length; index += 1)
        this.queue.push({ record: records[index] as PreparedRecord, ticket, index });
      if (this.open) this.schedule();
      else this.connect();
    });
  }

  /** The transport is open: sending may begin. */
  start(): void {
    this.open = true;
    this.schedule();
  }

  /** The transport could not be opened: everything queued fails with `error`; later calls queue again. */
  fail(error: BusError): void {
    for (const pending of this.queue.clear()) this.settle(pending, error);
    this.wakeIdle();
  }

  /** Resolves when nothing is queued or under way. */
  idle(): Promise<void> {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /**
   * Ends publishing: what is queued or under way, and what is given later, fails with `error`. Returns how many failed.
   * Of what is under way nobody knows whether it arrives.
   */
  abort(error: BusError): number {
    this.aborted = error;
    const open = [...this.travelling, ...this.queue.clear()];
    this.travelling = [];
    for (const pending of open) this.settle(pending, error);
    this.wakeIdle();
    return open.length;
  }

  private get busy(): boolean {
    return this.sending || this.queue.length > 0;
  }

  private schedule(): void {
    if (this.scheduled || this.sending || this.queue.length === 0) return;
    this.scheduled = true;
    const flush = (): void => {
      this.scheduled = false;
      void this.flush();
    };
    if (this.options.lingerMs > 0) this.timers.schedule(this.options.lingerMs, flush);
    else this.clock.soon(flush);
  }

  private async flush(): Promise<void> {
    this.sending = true;
    try {
      while (this.queue.length > 0) {
        this.expire();
        const batch = this.nextBatch();
        if (batch.length > 0) await this.sendBatch(batch);
      }
    } finally {
      this.sending = false;
      this.wakeIdle();
    }
  }

  /** As many from the front as fit into one send; ends at the first that does not fit, so that no key is overtaken. */
  private nextBatch(): Pending[] {
    const { partitions, limits } = this.transport;
    const records: number[] = [];
    const bytes: number[] = [];
    const batch: Pending[] = [];
    for (let next = this.queue.peek(); next; next = this.queue.peek()) {
      const { record } = next;
      const partition = partitionOf(record.key ?? '', partitions);
      const count = (records[partition] ?? 0) + 1;
      const size = (bytes[partition] ?? 0) + record.bytes;
      if (count > 1 && (count > limits.maxRecordsPerPartition || size > limits.maxBytesPerPartition)) break;
      record.partition = partition;
      records[partition] = count;
      bytes[partition] = size;
      batch.push(next);
      this.queue.shift();
    }
    return batch;
  }

  private async sendBatch(batch: readonly Pending[]): Promise<void> {
    this.travelling = batch;
    const failures = await this.send(batch);
    if (this.travelling !== batch) return; // Aborted.
    this.travelling = [];
    const failed = new Map(failures.map(({ index, error }) => [index, error] as const));
    const again: Pending[] = [];
    for (let index = 0; index < batch.length; index += 1) {
      const pending = batch[index] as Pending;
      const error = failed.get(index);
      if (error?.retryable && this.clock.elapsedMs() < pending.ticket.deadlineMs) again.push(pending);
      else this.settle(pending, error);
    }
    if (failed.size < batch.length) this.stats.lastPublishAtMs = this.clock.now();
    if (again.length === 0) {
      this.failedSends = 0;
      this.lastError = undefined;
      return;
    }
    this.queue.prepend(again);
    this.lastError = failures[0]?.error;
    this.failedSends += 1;
    const delayMs = backoffDelayMs(this.failedSends, SEND_BACKOFF, this.random);
    await new Promise<void>((resolve) => {
      this.timers.schedule(delayMs, resolve);
    });
  }

  private async send(
    batch: readonly Pending[],
  ): Promise<readonly { readonly index: number; readonly error: BusError }[]> {
    try {
      return (await this.transport.send(batch.map((pending) => pending.record))).failures;
    } catch (error) {
      // The SPI forbids it; an adapter that does it all the same must not lose anybody's answer.
      const reason = busErrorOf(error, 'send events');
      return batch.map((_, index) => ({ index, error: reason }));
    }
  }

  /** Rejects what waited longer than `timeoutMs` without being accepted. */
  private expire(): void {
    const nowMs = this.clock.elapsedMs();
    const first = this.queue.peek();
    if (!first || first.ticket.deadlineMs > nowMs) return;
    const waiting = this.queue.clear();
    const error = new BusError(
      'TIMEOUT',
      `The broker did not accept the event within publish.timeoutMs (${this.options.timeoutMs} ms)`,
      { cause: this.lastError },
    );
    this.queue.prepend(waiting.filter((pending) => pending.ticket.deadlineMs > nowMs));
    for (const pending of waiting) if (pending.ticket.deadlineMs <= nowMs) this.settle(pending, error);
  }

  private settle(pending: Pending, error: BusError | undefined): void {
    const { ticket, record } = pending;
    this.bufferedBytes -= record.bytes;
    this.stats.pendingPublishes -= 1;
    if (error) {
      ticket.failures ??= [];
      ticket.failures.push({ index: pending.index, eventId: record.event.eventId, error });
    } else {
      this.stats.eventsPublished += 1;
    }
    ticket.remaining -= 1;
    if (ticket.remaining > 0) return;
    const { failures, total } = ticket;
    if (failures) ticket.reject(new PublishError(failures, total, total - failures.length));
    else ticket.resolve();
  }

  private wakeIdle(): void {
    if (this.busy) return;
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const wake of waiters) wake();
  }
}
