import type { DomainEvent } from './event.js';
import type { CausedEvent, HandlerContext, PublishOptions } from './event-bus.js';
import type { InboundRecord } from './transport.js';

/** What a context is made of. */
export interface ContextFacts {
  readonly event: DomainEvent;
  readonly record: InboundRecord;
  readonly attempt: number;
  readonly group: string;
  readonly partition: number;
  readonly redelivered: boolean;
  readonly replay: boolean;
}

/** What a handler's context can do, shared by all contexts of a bus. */
export interface ContextServices {
  publish(events: DomainEvent | readonly DomainEvent[], options?: PublishOptions): Promise<void>;
  textHeaders(record: InboundRecord): Readonly<Record<string, string>>;
}

/** The context of one handler invocation. The signal and the header view are made only when a handler looks at them. */
export class InvocationContext implements HandlerContext {
  readonly #facts: ContextFacts;
  readonly #services: ContextServices;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(facts: ContextFacts, services: ContextServices) {
    this.#facts = facts;
    this.#services = services;
  }

  get attempt(): number {
    return this.#facts.attempt;
  }

  get group(): string {
    return this.#facts.group;
  }

  get partition(): number {
    return this.#facts.partition;
  }

  get position(): string {
    return this.#facts.record.position;
  }

  get redelivered(): boolean {
    return this.#facts.redelivered;
  }

  get replay(): boolean {
    return this.#facts.replay;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#services.textHeaders(this.#facts.record);
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  publish(events: CausedEvent | readonly CausedEvent[], options?: PublishOptions): Promise<void> {
    const cause = this.#facts.event;
    const list: readonly CausedEvent[] = Array.isArray(events) ? events : [events as CausedEvent];
    const completed = list.map((event) => ({
      ...event,
      correlationId: event.correlationId ?? cause.correlationId,
      causationId: event.causationId ?? cause.eventId,
    }));
    return this.#services.publish(completed, options);
  }

  /** Ends the signal. Not part of the contract: the engine keeps the only reference typed like this. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason };
    this.#controller?.abort(reason);
  }
}
