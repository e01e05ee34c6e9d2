/**
 * What happened, as a log of facts. Each fact is written when it becomes true and in the process where it does; the
 * history is the fold of all of them. A consumer that is killed has therefore told everything up to its death.
 */

/** How a publish ended. `unknown`: the broker's answer was lost, so that the event may be stored or not. */
export type PublishOutcome = 'pending' | 'ok' | 'failed' | 'unknown';

/** How a delivery ended. `running`: not yet, or its consumer died in it. */
export type DeliveryOutcome = 'running' | 'ok' | 'failed';

/** One fact. Times are `monotonicMs`. */
export type HistoryEntry =
  | {
      readonly kind: 'invoked';
      readonly publisher: string;
      readonly eventId: string;
      readonly eventType: string;
      readonly key: string;
      readonly sequence: number;
      readonly atMs: number;
    }
  | {
      readonly kind: 'published';
      readonly eventId: string;
      readonly outcome: Exclude<PublishOutcome, 'pending'>;
      readonly error?: string;
      readonly atMs: number;
    }
  | {
      readonly kind: 'started';
      /** Names the delivery together with `consumer`. */
      readonly delivery: number;
      readonly group: string;
      readonly consumer: string;
      readonly handler: string;
      readonly eventId: string;
      readonly eventType: string;
      readonly key: string;
      readonly sequence: number;
      readonly attempt: number;
      readonly partition: number;
      readonly position: string;
      readonly redelivered: boolean;
      readonly replay: boolean;
      readonly atMs: number;
    }
  | {
      readonly kind: 'ended';
      readonly delivery: number;
      readonly consumer: string;
      readonly outcome: Exclude<DeliveryOutcome, 'running'>;
      readonly error?: string;
      readonly atMs: number;
    }
  /** The consumer was killed, frozen or cut off: what it was doing does not count as running any more. */
  | { readonly kind: 'gone'; readonly consumer: string; readonly atMs: number };

/** One event that was to be published. Published twice, it is one record with the better outcome. */
export interface PublishRecord {
  readonly publisher: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly key: string;
  readonly sequence: number;
  readonly invokedAtMs: number;
  settledAtMs: number | undefined;
  outcome: PublishOutcome;
  error: string | undefined;
}

/** One run of one handler. */
export interface DeliveryRecord {
  readonly delivery: number;
  readonly group: string;
  readonly consumer: string;
  readonly handler: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly key: string;
  readonly sequence: number;
  readonly attempt: number;
  readonly partition: number;
  readonly position: string;
  readonly redelivered: boolean;
  readonly replay: boolean;
  readonly startedAtMs: number;
  endedAtMs: number | undefined;
  outcome: DeliveryOutcome;
  error: string | undefined;
  /** When its consumer was killed or frozen while it ran. */
  abandonedAtMs: number | undefined;
}

/** The fold of a log: publishes and deliveries in order of their start. */
export interface HistorySnapshot {
  readonly publishes: readonly PublishRecord[];
  readonly deliveries: readonly DeliveryRecord[];
}

const RANK: Readonly<Record<PublishOutcome, number>> = { pending: 0, failed: 1, unknown: 2, ok: 3 };

/** Collects facts, from this process and from children, and answers questions about them. */
export class History implements HistorySnapshot {
  readonly publishes: PublishRecord[] = [];
  readonly #deliveries: DeliveryRecord[] = [];
  readonly #byEvent = new Map<string, PublishRecord>();
  readonly #running = new Map<string, DeliveryRecord>();
  readonly #handled = new Map<string, Set<string>>();
  readonly #goneAtMs = new Map<string, number>();
  #sorted = true;

  /** Deliveries in order of their start, whichever process they happened in. */
  get deliveries(): readonly DeliveryRecord[] {
    if (!this.#sorted) {
      // Stable: what arrived first stays first where the clock cannot tell.
      this.#deliveries.sort((a, b) => a.startedAtMs - b.startedAtMs);
      this.#sorted = true;
    }
    return this.#deliveries;
  }

  /** Adds one fact. */
  apply(entry: HistoryEntry): void {
    if (entry.kind === 'invoked') this.#invoked(entry);
    else if (entry.kind === 'published') this.#published(entry);
    else if (entry.kind === 'started') this.#started(entry);
    else if (entry.kind === 'ended') this.#ended(entry);
    else this.#gone(entry.consumer, entry.atMs);
  }

  /** Deliveries to a group, of one consumer or handler where named. */
  of(
    group: string,
    only: { readonly consumer?: string; readonly handler?: string } = {},
  ): readonly DeliveryRecord[] {
    return this.deliveries.filter(
      (d) =>
        d.group === group &&
        (only.consumer === undefined || d.consumer === only.consumer) &&
        (only.handler === undefined || d.handler === only.handler),
    );
  }

  /** How many different events the group handled with success. */
  handled(group: string): number {
    return this.#handled.get(group)?.size ?? 0;
  }

  /** Events whose publish ended so. */
  published(outcome: PublishOutcome = 'ok'): readonly PublishRecord[] {
    return this.publishes.filter((p) => p.outcome === outcome);
  }

  #invoked(entry: HistoryEntry & { kind: 'invoked' }): void {
    if (this.#byEvent.has(entry.eventId)) return;
    const { publisher, eventId, eventType, key, sequence } = entry;
    const record: PublishRecord = {
      publisher,
      eventId,
      eventType,
      key,
      sequence,
      invokedAtMs: entry.atMs,
      settledAtMs: undefined,
      outcome: 'pending',
      error: undefined,
    };
    this.#byEvent.set(eventId, record);
    this.publishes.push(record);
  }

  #published(entry: HistoryEntry & { kind: 'published' }): void {
    const record = this.#byEvent.get(entry.eventId);
    if (!record || RANK[entry.outcome] < RANK[record.outcome]) return;
    record.outcome = entry.outcome;
    record.settledAtMs = entry.atMs;
    record.error = entry.error;
  }

  #started(entry: HistoryEntry & { kind: 'started' }): void {
    const { atMs } = entry;
    // Field by field: one shape for all, and runs have hundreds of thousands of them.
    const record: DeliveryRecord = {
      delivery: entry.delivery,
      group: entry.group,
      consumer: entry.consumer,
      handler: entry.handler,
      eventId: entry.eventId,
      eventType: entry.eventType,
      key: entry.key,
      sequence: entry.sequence,
      attempt: entry.attempt,
      partition: entry.partition,
      position: entry.position,
      redelivered: entry.redelivered,
      replay: entry.replay,
      startedAtMs: atMs,
      endedAtMs: undefined,
      outcome: 'running',
      error: undefined,
      // What a frozen consumer had started may be told only after its freeze was noted.
      abandonedAtMs: this.#goneSince(entry),
    };
    const previous = this.#deliveries.at(-1);
    if (previous && previous.startedAtMs > atMs) this.#sorted = false;
    this.#deliveries.push(record);
    this.#running.set(`${entry.consumer} ${entry.delivery}`, record);
  }

  #ended(entry: HistoryEntry & { kind: 'ended' }): void {
    const id = `${entry.consumer} ${entry.delivery}`;
    const record = this.#running.get(id);
    if (!record) return;
    this.#running.delete(id);
    record.endedAtMs = entry.atMs;
    record.outcome = entry.outcome;
    record.error = entry.error;
    if (entry.outcome === 'ok') this.#countHandled(record);
  }

  #countHandled({ group, eventId }: DeliveryRecord): void {
    const handled = this.#handled.get(group);
    if (handled) handled.add(eventId);
    else this.#handled.set(group, new Set([eventId]));
  }

  #goneSince({ consumer, atMs }: HistoryEntry & { kind: 'started' }): number | undefined {
    const goneAtMs = this.#goneAtMs.get(consumer);
    return goneAtMs !== undefined && atMs <= goneAtMs ? goneAtMs : undefined;
  }

  #gone(consumer: string, atMs: number): void {
    this.#goneAtMs.set(consumer, atMs);
    // What ended before has left `#running`; what a frozen consumer ends after its thaw is still found there.
    for (const record of this.#running.values()) {
      if (record.consumer === consumer && record.startedAtMs <= atMs) record.abandonedAtMs = atMs;
    }
  }
}
