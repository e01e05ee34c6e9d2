import type { DomainEvent, EventBus, PublishOptions } from '@omnibus/core';

import { behave } from './behaviour.js';
import { type AnomalyKind, type CheckOptions, type CheckReport, check, explain, isClean } from './checker.js';
import { monotonicMs } from './clock.js';
import { History, type HistoryEntry } from './history.js';
import type { Namespaces } from './namespace.js';
import { type Found, type PollOptions, until } from './poll.js';
import { Processes } from './processes.js';
import { type HandlerBody, recordedHandler, recordedPublish } from './recorder.js';
import type { Requirement } from './requirement.js';
import { StatusLog } from './status-log.js';
import {
  type Budget,
  type BusOverrides,
  type ConformanceSubject,
  DEFAULT_BUDGET,
  type Faults,
  type Inspect,
  type ProxiedSubject,
} from './subject.js';

/** A bus of a test. */
export interface BusRequest {
  /** @default the test's own */
  readonly namespace?: string;
  /** @default 'group' */
  readonly group?: string;
  readonly overrides?: BusOverrides;
  /** Makes the bus go through a proxy. */
  readonly through?: ProxiedSubject;
  /** Without what the factory sets only to make tests quick. @default false */
  readonly asShipped?: boolean;
}

/** A consuming bus whose deliveries are recorded. */
export interface ConsumerRequest extends BusRequest {
  /** Name in the history. @default a new one */
  readonly name?: string;
  /** Types to subscribe to. @default all */
  readonly types?: readonly string[];
  /** What the handler does. @default what each event asks for (`behave`) */
  readonly handler?: HandlerBody;
}

/** A consuming bus of this process. */
export interface Consumer {
  readonly bus: EventBus;
  readonly name: string;
  readonly group: string;
}

/** `Required` of a group of tools: a case that names them in `requires` may call them. */
type Tools<T> = { readonly [K in keyof T]-?: NonNullable<T[K]> };

/** The group of a test that needs only one. */
export const GROUP = 'group';

/** How long what a test leaves behind may take to close. */
const CLOSE_TIMEOUT_MS = 2_000;

/** What was found in the run as a whole, for the cases that judge it. */
export interface RunFindings {
  readonly unhandledRejections: readonly unknown[];
  /** What the cases that were executed so far required. */
  readonly executed: ReadonlySet<Requirement>;
  /** Whether every case of the kit belongs to the run. */
  readonly complete: boolean;
}

/** Everything a case works with. Whatever it makes through here is closed, killed, healed and removed after it. */
export class CaseContext {
  readonly id: string;
  readonly subject: ConformanceSubject;
  readonly budget: Budget;
  readonly findings: RunFindings;
  /** Whether tests last as long as the catalogue says, also where that is minutes. */
  readonly long: boolean;
  readonly history: History = new History();
  /** The test's own namespace. */
  readonly namespace: string;
  /** What its buses told. */
  readonly statuses: StatusLog = new StatusLog();
  readonly #namespaces: Namespaces;
  readonly #used: string[] = [];
  readonly #buses: EventBus[] = [];
  readonly #cleanups: (() => Promise<unknown> | unknown)[] = [];
  readonly #notes: string[] = [];
  #processes: Processes | undefined;
  #consumers = 0;

  constructor(
    id: string,
    subject: ConformanceSubject,
    namespaces: Namespaces,
    findings: RunFindings,
    long = false,
  ) {
    this.id = id;
    this.long = long;
    this.subject = subject;
    this.budget = { ...DEFAULT_BUDGET, ...subject.budget };
    this.findings = findings;
    this.#namespaces = namespaces;
    this.namespace = this.newNamespace();
  }

  /** Tools named in `requires`. */
  get inspect(): Tools<Inspect> {
    return (this.subject.inspect ?? {}) as Tools<Inspect>;
  }

  /** Tools named in `requires`. */
  get faults(): Tools<Faults> {
    return (this.subject.faults ?? {}) as Tools<Faults>;
  }

  /** Child processes. Needs the capability `processes`. */
  get processes(): Processes {
    if (!this.#processes) {
      const { processModule, processEnv } = this.subject;
      if (processModule === undefined) {
        throw new Error(
          `${this.id} needs child processes: the subject has the capability but no processModule`,
        );
      }
      const env = typeof processEnv === 'function' ? processEnv() : (processEnv ?? {});
      this.#processes = new Processes({ history: this.history, modulePath: processModule, env });
    }
    return this.#processes;
  }

  /** Takes a fact: for code that records by itself. */
  readonly record = (entry: HistoryEntry): void => this.history.apply(entry);

  /** A namespace that nobody else uses; removed from the broker after the test. */
  newNamespace(): string {
    const name = this.#namespaces.next(this.id);
    this.#used.push(name);
    return name;
  }

  /** A new bus, closed after the test. Not connected. */
  async bus(request: BusRequest = {}): Promise<EventBus> {
    const { namespace = this.namespace, group = GROUP, overrides = {}, through, asShipped = false } = request;
    const create = through
      ? (r: Parameters<ConformanceSubject['create']>[0]) => through.create(r)
      : this.subject.create;
    const bus = await create.call(this.subject, { namespace, group, overrides, asShipped });
    this.#buses.push(bus);
    this.statuses.follow(bus, group);
    return bus;
  }

  /** A new bus with one recorded handler, consuming when this resolves. */
  async consumer(request: ConsumerRequest = {}): Promise<Consumer> {
    const { group = GROUP } = request;
    const name = request.name ?? this.consumerName();
    const bus = await this.recordedBus({ ...request, name });
    await bus.startConsuming();
    return { bus, name, group };
  }

  /** A new bus with one recorded handler, which does not consume yet. */
  async recordedBus(request: ConsumerRequest = {}): Promise<EventBus> {
    const { group = GROUP, types, handler = behave } = request;
    const bus = await this.bus(request);
    const consumer = request.name ?? this.consumerName();
    const recorded = recordedHandler(this.record, { group, consumer }, handler);
    if (types) for (const type of types) bus.subscribe(type, recorded);
    else bus.subscribeToAllEvents(recorded);
    return bus;
  }

  /** The same for a part of the test: with a history and a namespace of its own, undone with this one at the latest. */
  part(): CaseContext {
    const part = new CaseContext(this.id, this.subject, this.#namespaces, this.findings, this.long);
    this.onCleanup(() => part.cleanUp());
    return part;
  }

  /** A name that no other consumer of the test has. */
  consumerName(): string {
    this.#consumers += 1;
    return `consumer-${this.#consumers}`;
  }

  /** Publishes, and records what became of each event. Settles as `bus.publish`. */
  publish(
    bus: Pick<EventBus, 'publish'>,
    events: DomainEvent | readonly DomainEvent[],
    options: PublishOptions & { readonly publisher?: string } = {},
  ): Promise<void> {
    return recordedPublish(this.record, bus, events, options);
  }

  /** Waits for something. @default withinMs: `budget.deliverMs` */
  until<T>(what: string, probe: () => T | Promise<T>, options: Partial<PollOptions> = {}): Promise<Found<T>> {
    return until(what, probe, { withinMs: this.budget.deliverMs, ...options });
  }

  /** Waits until a group has handled so many different events. When it does not, says what is missing and since when. */
  async untilHandled(
    count: number,
    options: Partial<PollOptions> & Omit<Partial<CheckOptions>, 'handler'> = {},
  ): Promise<void> {
    const { group = GROUP, meantFor, givenUp, order, ...poll } = options;
    try {
      await this.until(
        `${count} events to be handled by ${group}`,
        () => this.history.handled(group) >= count,
        poll,
      );
    } catch (error) {
      const checkOptions = {
        group,
        ...(meantFor && { meantFor }),
        ...(givenUp && { givenUp }),
        ...(order && { order }),
      };
      const lines = [
        (error as Error).message,
        this.#lastActivity(group),
        explain(this.check(checkOptions), this.history),
      ];
      throw new Error(lines.join('\n'), { cause: error });
    }
  }

  /** A group that is slow looks different from one that stands still. */
  #lastActivity(group: string): string {
    const now = monotonicMs();
    const perPartition = new Map<number, { count: number; lastMs: number }>();
    for (const { partition, startedAtMs } of this.history.of(group)) {
      const count = (perPartition.get(partition)?.count ?? 0) + 1;
      perPartition.set(partition, { count, lastMs: startedAtMs });
    }
    const parts = [...perPartition].sort(([a], [b]) => a - b);
    const texts = parts.map(
      ([partition, { count, lastMs }]) => `p${partition} ${count}, last ${(now - lastMs).toFixed(0)} ms ago`,
    );
    return `deliveries by partition: ${texts.join('; ') || 'none'}`;
  }

  /**
   * Waits until the group has nothing left to do on the broker, and these buses nothing in hand: what has not been
   * delivered now never will be.
   */
  async untilQuiet(buses: EventBus | readonly EventBus[], options: Partial<PollOptions> = {}): Promise<void> {
    const all = Array.isArray(buses) ? (buses as readonly EventBus[]) : [buses as EventBus];
    const [first] = all;
    if (!first) return;
    await this.until(
      'nothing to be in flight and no lag to be left',
      async () => all.every((bus) => bus.stats.inFlight === 0) && (await first.lag()).total === 0,
      { everyMs: 20, ...options },
    );
  }

  /** Judges what a group saw. @default group: `GROUP` */
  check(options: Partial<CheckOptions> = {}): CheckReport {
    return check(this.history, { group: GROUP, ...options });
  }

  /** Fails with the history of what is wrong, unless all is right but for the kinds tolerated. */
  expectClean(
    options: Partial<CheckOptions> & { readonly tolerate?: readonly AnomalyKind[] } = {},
  ): CheckReport {
    const { tolerate, ...checkOptions } = options;
    const report = this.check(checkOptions);
    if (!isClean(report, tolerate)) throw new Error(explain(report, this.history));
    return report;
  }

  /** Tells the history that a consumer of this process is cut off: what it was doing does not count as running. */
  gone(consumer: Consumer): void {
    this.record({ kind: 'gone', consumer: consumer.name, atMs: monotonicMs() });
  }

  /** Something that was measured, for the report. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** What was noted; undefined when nothing was. */
  get notes(): string | undefined {
    return this.#notes.length > 0 ? this.#notes.join('; ') : undefined;
  }

  /** Called after the test, last registered first. */
  onCleanup(cleanup: () => Promise<unknown> | unknown): void {
    this.#cleanups.push(cleanup);
  }

  /** Undoes everything. Goes on when a step fails, and returns what failed. Called by the runner. */
  async cleanUp(): Promise<readonly unknown[]> {
    const problems: unknown[] = [];
    const attempt = async (step: () => Promise<unknown> | unknown): Promise<void> => {
      try {
        await step();
      } catch (error) {
        problems.push(error);
      }
    };
    for (const cleanup of this.#cleanups.splice(0).reverse()) await attempt(cleanup);
    await attempt(() => this.#processes?.reap());
    await Promise.all(
      this.#buses.splice(0).map((bus) => attempt(() => bus.shutdown({ timeoutMs: CLOSE_TIMEOUT_MS }))),
    );
    for (const namespace of this.#used.splice(0))
      await attempt(() => this.subject.inspect?.deleteTopology?.(namespace));
    return problems;
  }
}
