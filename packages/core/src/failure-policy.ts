import type { Delivery } from './delivery.js';
import type { AttemptOutcome } from './dispatch.js';
import type { EngineParts } from './engine-parts.js';
import { deadLetterRecord } from './envelope.js';
import { BusError, busErrorOf } from './errors.js';
import type { DomainEvent } from './event.js';
import type { DeadLetterReason } from './event-bus.js';
import type { PartitionLane } from './partition-lane.js';
import { backoffDelayMs, decideRetry } from './retry.js';

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
  readonly event: DomainEvent | undefined;
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
    metrics.processed(durationMs, busErrorOf(outcome.error, 'handle the event').code);
    const verdict = decideRetry({
      attempt: delivery.attemptsMade,
      error: outcome.error,
      policy: options.retry,
      event: outcome.event,
      random: this.parts.random,
    });
    if (verdict.kind === 'dead-letter') this.giveUp(delivery, { ...outcome, reason: verdict.reason });
    else this.retryLater(delivery, outcome, verdict.delayMs);
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
      event: undefined,
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
    const letter = this.letterOf(delivery, why);
    lane.busy += 1;
    try {
      for (let attempt = 1; !lane.isLost; attempt += 1) {
        try {
          await lane.port.deadLetter(delivery.record, letter);
          break;
        } catch (error) {
          this.parts.onError(busErrorOf(error, 'write a dead letter'));
          await this.pauseBeforeRewrite(attempt);
        }
      }
      if (lane.isLost) return;
      this.parts.stats.messagesSentToDlq += 1;
      this.parts.metrics.deadLettered(why.reason);
      this.parts.onStatus({ type: 'dead-lettered', ...this.statusFacts(delivery, why) });
      this.actions.settle(delivery);
    } finally {
      lane.workEnded();
    }
  }

  private pauseBeforeRewrite(attempt: number): Promise<void> {
    const delayMs = backoffDelayMs(attempt, WRITE_BACKOFF, this.parts.random);
    return new Promise((resolve) => {
      this.parts.timers.schedule(delayMs, resolve);
    });
  }

  private drop(delivery: Delivery, why: GivenUp): void {
    this.parts.stats.eventsDropped += 1;
    const facts = this.statusFacts(delivery, why);
    try {
      this.parts.options.deadLetters.onDrop?.(why.event, facts.error);
    } catch (error) {
      this.parts.onError(busErrorOf(error, 'run deadLetters.onDrop'));
    }
    this.parts.onStatus({ type: 'dropped', ...facts });
    this.actions.settle(delivery);
  }

  private halt(delivery: Delivery, why: GivenUp): void {
    const lane = this.actions.lane(delivery);
    lane.halt();
    const { atMs, group, error } = this.statusFacts(delivery, why);
    this.parts.onStatus({ type: 'halted', atMs, group, partition: lane.partition, error });
  }

  private letterOf(delivery: Delivery, why: GivenUp): ReturnType<typeof deadLetterRecord> {
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
      event: why.event,
    });
  }

  private statusFacts(
    delivery: Delivery,
    why: GivenUp,
  ): { atMs: number; group: string; eventId?: string; eventType?: string; reason: string; error: BusError } {
    const { event } = why;
    return {
      atMs: this.parts.clock.now(),
      group: this.parts.group,
      ...(event ? { eventId: event.eventId, eventType: event.eventType } : {}),
      reason: why.reason,
      error: busErrorOf(
        why.error,
        `handle the event at ${delivery.lane.owner.partition}/${delivery.record.position}`,
      ),
    };
  }
}
