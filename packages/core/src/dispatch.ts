import type { EventCodec } from './codec.js';
import { type ContextServices, InvocationContext } from './context.js';
import type { Delivery } from './delivery.js';
import { readEvent, targetGroup } from './envelope.js';
import { BusError } from './errors.js';
import type { DomainEvent } from './event.js';
import type { DeadLetterReason } from './event-bus.js';
import { quoted } from './printable.js';
import type { Registry, Subscription } from './registry.js';
import { SchemaCheck } from './schema-check.js';
import { type Clock, type DeadlineLinks, DeadlineList } from './timers.js';
import type { ProcessSpan, Tracing } from './tracing.js';
import type { InboundRecord } from './transport.js';

/** How an attempt ended. */
export type AttemptOutcome =
  | { readonly kind: 'succeeded' }
  /** Nobody here wants it. */
  | { readonly kind: 'ignored' }
  /** The partition went away before every handler was called: the rest is the new owner's. */
  | { readonly kind: 'abandoned' }
  /** No handler can be called: trying again is useless. */
  | {
      readonly kind: 'unhandleable';
      readonly reason: DeadLetterReason;
      readonly error: unknown;
    }
  | {
      readonly kind: 'failed';
      readonly error: unknown;
      readonly handler: string;
      readonly unfinished: readonly Subscription[];
      readonly event: DomainEvent;
    };

const SUCCEEDED: AttemptOutcome = { kind: 'succeeded' };
const IGNORED: AttemptOutcome = { kind: 'ignored' };
const ABANDONED: AttemptOutcome = { kind: 'abandoned' };

/** What the dispatcher works with. */
export interface DispatchOptions {
  readonly group: string;
  readonly destination: string;
  /** Whether records that were given back to one group reach the others too. */
  readonly sharedReplays: boolean;
  readonly codec: EventCodec;
  readonly maxEventBytes: number;
  readonly handlerTimeoutMs: number;
  readonly unknownEvents: 'deliver' | 'ignore' | 'dead-letter';
  readonly maxAttempts: number;
}

/** One attempt: the handlers of one event, one after the other. */
class Attempt implements DeadlineLinks {
  deadlineMs = 0;
  nextDeadline: DeadlineLinks | undefined = undefined;
  previousDeadline: DeadlineLinks | undefined = undefined;
  index = 0;
  /** Counts the waits; what a former wait still reports is ignored. */
  turn = 0;
  context: InvocationContext | undefined = undefined;
  failed: Subscription[] | undefined = undefined;
  firstError: unknown = undefined;

  constructor(
    readonly delivery: Delivery,
    readonly event: DomainEvent,
    readonly handlers: readonly Subscription[],
    readonly startedAtMs: number,
    readonly span: ProcessSpan | undefined,
  ) {}
}

/** Runs attempts and reports how each ended, exactly once, possibly before `run` returns. Decides nothing about retries. */
export class Dispatcher {
  private readonly deadlines: DeadlineList<Attempt>;
  private readonly schemas: SchemaCheck;

  constructor(
    private readonly options: DispatchOptions,
    private readonly registry: Registry,
    private readonly services: ContextServices,
    private readonly tracing: Tracing,
    private readonly clock: Clock,
    private readonly report: (delivery: Delivery, outcome: AttemptOutcome, durationMs: number) => void,
    private readonly handlerFailed: () => void,
  ) {
    this.deadlines = new DeadlineList(clock, options.handlerTimeoutMs, (attempt) => this.timedOut(attempt));
    this.schemas = new SchemaCheck(registry, clock, options.handlerTimeoutMs);
  }

  run(delivery: Delivery): void {
    const { record } = delivery;
    if (this.isForAnotherGroup(record)) return this.report(delivery, IGNORED, 0);
    let event: DomainEvent;
    try {
      event = readEvent(record, this.options.codec, this.options.maxEventBytes);
    } catch (error) {
      return this.report(delivery, { kind: 'unhandleable', reason: 'deserialization', error }, 0);
    }
    this.schemas.check(
      event,
      (valid) => this.begin(delivery, valid),
      (error) => this.report(delivery, { kind: 'unhandleable', reason: 'validation', error }, 0),
    );
  }

  private isForAnotherGroup({ headers }: InboundRecord): boolean {
    if (!this.options.sharedReplays) return false;
    const target = targetGroup(headers);
    return target !== undefined && target !== this.options.group;
  }

  stop(): void {
    this.deadlines.stop();
    this.schemas.stop();
  }

  private begin(delivery: Delivery, event: DomainEvent): void {
    if (delivery.lane.owner.isGone) return this.report(delivery, ABANDONED, 0);
    const handlers = delivery.unfinished ?? this.registry.handlersFor(event.eventType);
    const { unknownEvents } = this.options;
    if (unknownEvents !== 'deliver' && !this.registry.isKnown(event.eventType)) {
      if (unknownEvents === 'ignore') return this.report(delivery, IGNORED, 0);
      const error = new BusError(
        'UNKNOWN_EVENT_TYPE',
        `No handler and no definition for event type ${quoted(event.eventType)}: subscribe to it, or set unknownEvents to 'ignore'`,
      );
      return this.report(delivery, { kind: 'unhandleable', reason: 'unknown-type', error }, 0);
    }
    if (handlers.length === 0) return this.report(delivery, delivery.unfinished ? SUCCEEDED : IGNORED, 0);
    this.invokeNext(
      new Attempt(
        delivery,
        event,
        handlers,
        this.clock.elapsedMs(),
        this.startSpan(delivery, event, handlers.length),
      ),
    );
  }

  private startSpan(delivery: Delivery, event: DomainEvent, handlerCount: number): ProcessSpan | undefined {
    if (!this.tracing.enabled) return undefined;
    const { group, destination } = this.options;
    const partition = delivery.lane.owner.partition;
    return this.tracing.process({
      record: delivery.record,
      event,
      group,
      partition,
      attempt: this.attemptOf(delivery),
      destination,
      handlerCount,
      replay: false,
    });
  }

  /** How often handlers of the event were run, this time included; never more than there may be. */
  private attemptOf({ attemptsMade, unheardRuns }: Delivery): number {
    return Math.min(attemptsMade + unheardRuns + 1, this.options.maxAttempts);
  }

  private invokeNext(attempt: Attempt): void {
    const { delivery, handlers } = attempt;
    while (handlers[attempt.index]?.active === false) attempt.index += 1;
    const subscription = handlers[attempt.index];
    if (!subscription) return this.finish(attempt);
    if (delivery.lane.owner.isGone) return this.abandon(attempt);
    const call = (event: DomainEvent): void => {
      if (delivery.lane.owner.isGone) return this.abandon(attempt);
      if (!subscription.active || !this.invoke(attempt, subscription, event)) this.goOn(attempt);
    };
    if (attempt.index === 0) call(attempt.event);
    else this.readAgain(attempt, subscription, call);
  }

  /** Each handler gets an event of its own: what one changes, the next does not see. */
  private readAgain(attempt: Attempt, subscription: Subscription, call: (event: DomainEvent) => void): void {
    const { codec, maxEventBytes } = this.options;
    const failed = (error: unknown): void => {
      this.fail(attempt, subscription, error);
      this.goOn(attempt);
    };
    let event: DomainEvent;
    try {
      event = readEvent(attempt.delivery.record, codec, maxEventBytes);
    } catch (error) {
      return failed(error);
    }
    this.schemas.check(event, call, failed);
  }

  /** True when the handler goes on asynchronously. */
  private invoke(attempt: Attempt, subscription: Subscription, event: DomainEvent): boolean {
    const { delivery } = attempt;
    const { group } = this.options;
    const context = new InvocationContext(
      {
        event,
        record: delivery.record,
        attempt: this.attemptOf(delivery),
        group,
        partition: delivery.lane.owner.partition,
        redelivered: delivery.redelivered,
        replay: false,
      },
      this.services,
    );
    attempt.context = context;
    delivery.running = true;
    try {
      const call = (): void | Promise<void> => subscription.invoke(event, context);
      const result = attempt.span ? attempt.span.run(call) : subscription.invoke(event, context);
      if (!isThenable(result)) return false;
      this.wait(attempt, subscription, result);
      return true;
    } catch (error) {
      this.fail(attempt, subscription, error);
      return false;
    }
  }

  private wait(attempt: Attempt, subscription: Subscription, result: PromiseLike<void>): void {
    attempt.turn += 1;
    const turn = attempt.turn;
    attempt.delivery.abort = (reason) => attempt.context?.abort(reason);
    if (this.options.handlerTimeoutMs > 0) this.deadlines.join(attempt);
    const ended = (): boolean => {
      if (attempt.turn !== turn) return false;
      attempt.turn += 1;
      this.deadlines.leave(attempt);
      return true;
    };
    // Not its own `then`: a thenable may throw there.
    Promise.resolve(result).then(
      () => {
        if (ended()) this.goOn(attempt);
      },
      (error: unknown) => {
        if (!ended()) return;
        this.fail(attempt, subscription, error);
        this.goOn(attempt);
      },
    );
  }

  private goOn(attempt: Attempt): void {
    attempt.index += 1;
    this.invokeNext(attempt);
  }

  private timedOut(attempt: Attempt): void {
    attempt.turn += 1;
    const subscription = attempt.handlers[attempt.index] as Subscription;
    const error = new BusError(
      'HANDLER_TIMEOUT',
      `Handler ${subscription.name} did not finish within ${this.options.handlerTimeoutMs} ms: let it watch context.signal, or raise handlerTimeoutMs`,
    );
    attempt.context?.abort(error);
    this.fail(attempt, subscription, error);
    this.goOn(attempt);
  }

  private fail(attempt: Attempt, subscription: Subscription, error: unknown): void {
    this.handlerFailed();
    attempt.span?.handlerFailed(error, subscription.name);
    if (!attempt.failed) {
      attempt.failed = [];
      attempt.firstError = error;
    }
    attempt.failed.push(subscription);
  }

  private abandon({ delivery, span, failed }: Attempt): void {
    span?.end(failed ? 'error' : 'ok');
    this.report(delivery, ABANDONED, 0);
  }

  private finish(attempt: Attempt): void {
    const { delivery, failed, event } = attempt;
    attempt.span?.end(failed ? 'error' : 'ok');
    const durationMs = this.clock.elapsedMs() - attempt.startedAtMs;
    if (!failed) return this.report(delivery, SUCCEEDED, durationMs);
    this.report(
      delivery,
      {
        kind: 'failed',
        error: attempt.firstError,
        handler: failed[0]?.name ?? '',
        unfinished: failed,
        event,
      },
      durationMs,
    );
  }
}

function isThenable(value: unknown): value is PromiseLike<void> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
