import type { Delivery } from './delivery.js';
import type { AttemptOutcome } from './dispatch.js';
import type { EngineParts } from './engine-parts.js';
import { deadLetterRecord, readEvent } from './envelope.js';
import { BusError, busErrorOf } from './errors.js';
import type { DomainEvent } from './event.js';
import type { DeadLetterReason } from './event-bus.js';
import type { PartitionLane } from './partition-lane.js';
import { backoffDelayMs, decideRetry } from './retry.js';
import { errorType } from './trace-attributes.js';

type FailedOutcome = Extract<AttemptOutcome, { kind: 'failed' | 'unhandleable' }>;

/** What the policy may do with a delivery. */
export interface FailureActions {
  /** Run the head of its lane again. */
  again(delivery: Delivery): void;
  settle(delivery: Delivery): void;
  lane(delivery: Delivery): PartitionLane;
}

/** Why and after what a delivery is given up. */
interface GivenUp {
  readonly reason: DeadLetterReason;
  readonly error: unknown;
  readonly handler: string | undefined;
}

/** A dead letter that cannot be written is tried again with this back-off, for ever: dropping it would lose the event. */
const WRITE_BACKOFF = { baseDelayMs: 100, maxDelayMs: 5_000, factor: 2, jitter: 0.2 };

/** What happens after an attempt that did not succeed: another one after a back-off, or a dead letter. */
export class FailurePolicy {
  constructor(
    private readonly parts: EngineParts,
    private readonly actions: FailureActions,
  ) {}

  decide(delivery: Delivery, outcome: FailedOutcome, durationMs: number): void {
    const { stats, metrics, options } = this.parts;
    stats.lastErrorAtMs = this.parts.clock.now();
    if (outcome.kind === 'unhandleable') {
      this.giveUp(delivery, { ...outcome, handler: undefined });
      return;
    }
    stats.eventsProcessedFailed += 1;
    delivery.attemptsMade += 1;
    delivery.firstFailedAtMs ||= this.parts.clock.now();
    metrics.processed(durationMs, errorType(outcome.error));
    const verdict = decideRetry({
      attempt: delivery.attemptsMade,
      error: outcome.error,
      policy: options.retry,
      event: outcome.event,
      random: this.parts.random,
    });
    if (verdict.kind === 'dead-letter')
      this.giveUp(delivery, { ...outcome, reason: this.reasonFor(delivery, verdict.reason) });
    else this.retryLater(delivery, outcome, verdict.delayMs);
  }

  /** Failures alone did not use up the attempts when deaths are counted among them. */
  private reasonFor(delivery: Delivery, reason: DeadLetterReason): DeadLetterReason {
    const { deaths } = this.actions.lane(delivery).journal.attemptsOf(delivery.record.position);
    return reason === 'max-retries' && deaths > 0 ? 'crash' : reason;
  }

  /** Every attempt was used up in former lives of the process, the last of which ended before the dead letter was written. */
  attemptsUsedUp(delivery: Delivery, deaths: number): void {
    const error =
      deaths > 0
        ? new BusError(
            'NON_RETRYABLE',
            `The process died ${deaths} times while it handled this event; see what the handler does with it before it is replayed`,
          )
        : new BusError(
            'NON_RETRYABLE',
            `All ${delivery.attemptsMade} attempts failed before the process restarted; the error itself was lost with the process`,
          );
    this.giveUp(delivery, {
      reason: deaths > 0 ? 'crash' : 'max-retries',
      error,
      handler: undefined,
    });
  }

  private retryLater(
    delivery: Delivery,
    outcome: Extract<FailedOutcome, { kind: 'failed' }>,
    delayMs: number,
  ): void {
    delivery.unfinished = outcome.unfinished;
    const lane = this.actions.lane(delivery);
    lane.journal.setFailures(delivery.record.position, delivery.attemptsMade);
    delivery.running = false;
    // The next attempt waits for both: its time, and the note that this one was made, which must survive a crash.
    let waitsFor = 2;
    const ready = (): void => {
      waitsFor -= 1;
      if (waitsFor === 0) this.actions.again(delivery);
    };
    this.parts.timers.schedule(delayMs, ready);
    lane.journal.save().then(ready, (error: unknown) => {
      this.parts.onError(busErrorOf(error, 'note a failed attempt'));
      ready();
    });
  }

  private giveUp(delivery: Delivery, why: GivenUp): void {
    const { deadLetters } = this.parts.options;
    if (deadLetters.enabled) void this.deadLetter(delivery, why);
    else if (deadLetters.whenDisabled === 'drop') this.drop(delivery, why);
    else this.halt(delivery, why);
  }

  private async deadLetter(delivery: Delivery, why: GivenUp): Promise<void> {
    const lane = this.actions.lane(delivery);
    const event = this.eventOf(delivery);
    const letter = this.letterOf(delivery, why, event);
    lane.busy += 1;
    try {
      for (let attempt = 1; !lane.isLost; attempt += 1) {
        try {
          await lane.port.deadLetter(delivery.record, letter);
          break;
        } catch (error) {
          this.parts.onError(busErrorOf(error, 'write a dead letter'));
          if (attempt === 1) this.noteAttempts(delivery, lane);
          await this.pauseBeforeRewrite(attempt);
        }
      }
      if (lane.isLost) return;
      this.parts.stats.messagesSentToDlq += 1;
      this.parts.metrics.deadLettered(why.reason);
      this.parts.onStatus({ type: 'dead-lettered', ...this.statusFacts(delivery, why, event) });
      this.actions.settle(delivery);
    } finally {
      lane.workEnded();
    }
  }

  /** It may take long until the letter is written: a crash until then must not give the event further attempts. */
  private noteAttempts(delivery: Delivery, lane: PartitionLane): void {
    if (delivery.attemptsMade === 0 || lane.isLost) return;
    lane.journal.setFailures(delivery.record.position, delivery.attemptsMade);
    lane.journal.save().catch((error: unknown) => {
      this.parts.onError(busErrorOf(error, 'note the attempts of an event that was given up'));
    });
  }

  private pauseBeforeRewrite(attempt: number): Promise<void> {
    const delayMs = backoffDelayMs(attempt, WRITE_BACKOFF, this.parts.random);
    return new Promise((resolve) => {
      this.parts.timers.schedule(delayMs, resolve);
    });
  }

  private drop(delivery: Delivery, why: GivenUp): void {
    this.parts.stats.eventsDropped += 1;
    const event = this.eventOf(delivery);
    const facts = this.statusFacts(delivery, why, event);
    void this.tellDropped(event, facts.error);
    this.parts.onStatus({ type: 'dropped', ...facts });
    this.actions.settle(delivery);
  }

  /** The callback is called at once; an asynchronous one is not waited for. */
  private async tellDropped(event: DomainEvent | undefined, reason: BusError): Promise<void> {
    try {
      await this.parts.options.deadLetters.onDrop?.(event, reason);
    } catch (error) {
      this.parts.onError(busErrorOf(error, 'run deadLetters.onDrop', 'HANDLER_FAILED'));
    }
  }

  private halt(delivery: Delivery, why: GivenUp): void {
    const lane = this.actions.lane(delivery);
    lane.halt();
    const { atMs, group, error } = this.statusFacts(delivery, why, undefined);
    this.parts.onStatus({ type: 'halted', atMs, group, partition: lane.partition, error });
  }

  /** The event as it arrived: what handlers were given may have been changed by them. */
  private eventOf({ record }: Delivery): DomainEvent | undefined {
    const { codec, maxEventBytes } = this.parts.options;
    try {
      return readEvent(record, codec, maxEventBytes);
    } catch {
      return undefined;
    }
  }

  private letterOf(
    delivery: Delivery,
    why: GivenUp,
    event: DomainEvent | undefined,
  ): ReturnType<typeof deadLetterRecord> {
    const nowMs = this.parts.clock.now();
    return deadLetterRecord({
      source: delivery.record,
      destination: this.parts.destination,
      partition: delivery.lane.owner.partition,
      group: this.parts.group,
      reason: why.reason,
      error: why.error,
      attempts: delivery.attemptsMade,
      handler: why.handler,
      firstFailedAtMs: delivery.firstFailedAtMs || nowMs,
      nowMs,
      includeStack: this.parts.options.deadLetters.includeStack,
      maxBodyBytes: this.parts.maxRecordBytes,
      event,
    });
  }

  private statusFacts(
    delivery: Delivery,
    why: GivenUp,
    event: DomainEvent | undefined,
  ): { atMs: number; group: string; eventId?: string; eventType?: string; reason: string; error: BusError } {
    return {
      atMs: this.parts.clock.now(),
      group: this.parts.group,
      ...(event ? { eventId: event.eventId, eventType: event.eventType } : {}),
      reason: why.reason,
      error: busErrorOf(
        why.error,
        `handle the event at ${delivery.lane.owner.partition}/${delivery.record.position}`,
        'HANDLER_FAILED',
      ),
    };
  }
}
