import { validateData } from './define-event.js';
import { BusError } from './errors.js';
import type { DomainEvent } from './event.js';
import type { Registry } from './registry.js';
import { type Clock, type DeadlineLinks, DeadlineList } from './timers.js';

/** An asynchronous schema that is waited for. */
class SchemaWait implements DeadlineLinks {
  deadlineMs = 0;
  nextDeadline: DeadlineLinks | undefined = undefined;
  previousDeadline: DeadlineLinks | undefined = undefined;
  over = false;

  constructor(readonly timedOut: () => void) {}
}

/**
 * Holds what arrived against the schema of its type. A schema has as long as a handler: one that never answers would
 * hold its key, and a slot, for ever.
 */
export class SchemaCheck {
  private readonly deadlines: DeadlineList<SchemaWait>;

  constructor(
    private readonly registry: Pick<Registry, 'definitionFor'>,
    clock: Clock,
    /** 0 for no limit. */
    private readonly timeoutMs: number,
  ) {
    this.deadlines = new DeadlineList(clock, timeoutMs, (wait) => wait.timedOut());
  }

  /** Goes on with the event as its schema yields it, or with why it does not; in this turn when the schema is synchronous. */
  check(event: DomainEvent, valid: (event: DomainEvent) => void, invalid: (error: unknown) => void): void {
    const definition = this.registry.definitionFor(event.eventType, event.eventVersion);
    if (!definition?.schema) return valid(event);
    const accept = (data: unknown): void => valid({ ...event, data: data as DomainEvent['data'] });
    let data: unknown;
    try {
      data = validateData(definition, event.data);
    } catch (error) {
      return invalid(error);
    }
    if (data instanceof Promise) this.wait(event.eventType, data, accept, invalid);
    else accept(data);
  }

  stop(): void {
    this.deadlines.stop();
  }

  private wait(
    eventType: string,
    data: Promise<unknown>,
    accept: (data: unknown) => void,
    invalid: (error: unknown) => void,
  ): void {
    const wait = new SchemaWait(() => {
      wait.over = true;
      invalid(
        new BusError(
          'VALIDATION',
          `${eventType}: the schema did not answer within handlerTimeoutMs (${this.timeoutMs} ms)`,
        ),
      );
    });
    if (this.timeoutMs > 0) this.deadlines.join(wait);
    const ended = (): boolean => {
      if (wait.over) return false;
      wait.over = true;
      this.deadlines.leave(wait);
      return true;
    };
    data.then(
      (value) => {
        if (ended()) accept(value);
      },
      (error: unknown) => {
        if (ended()) invalid(error);
      },
    );
  }
}
