import {
  type BusOverrides,
  type Child,
  check,
  explain,
  History,
  isClean,
  makeEvents,
  Processes,
  recordedPublish,
  uniqueName,
} from '@omnibus/conformance-tests';
import type { DomainEvent } from '@omnibus/core';
import type { Redis } from 'ioredis';
import { RedisEventBus } from '../../src/redis-event-bus.js';
import { until } from './redis.js';

/** What a consumer in another process counted. */
interface Counted {
  readonly eventsProcessedSuccess: number;
  readonly fencedSettlements: number;
  readonly inFlight: number;
}

export const GROUP = 'group';
/** Short enough for a test, long enough for a loaded machine. */
const TIMES = { leaseMs: 2_000, heartbeatIntervalMs: 200, requestTimeoutMs: 60_000 };

/** One group whose consumers are processes of their own, and everything that happened to it. */
export class ProcessGroup {
  readonly namespace: string = uniqueName('processes');
  readonly history: History = new History();
  readonly publisher: RedisEventBus;
  private readonly processes: Processes;
  private readonly consumers: Child[] = [];

  constructor(
    private readonly url: string,
    private readonly partitions: number,
  ) {
    this.publisher = new RedisEventBus({ url, streamPrefix: this.namespace, partitions, group: GROUP });
    this.processes = new Processes({
      history: this.history,
      modulePath: require.resolve('./consumer-process.cjs'),
      env: {},
    });
  }

  get stream(): string {
    return `${this.namespace}:stream`;
  }

  /** Starts a consumer that goes this way to the server; resolves when it consumes. */
  async consumer(
    name: string,
    {
      url = this.url,
      env = {},
      overrides = {},
    }: { url?: string; env?: Readonly<Record<string, string>>; overrides?: BusOverrides } = {},
  ): Promise<Child> {
    const child = await this.processes.spawn(
      {
        role: 'consumer',
        name,
        namespace: this.namespace,
        group: GROUP,
        overrides: { partitions: this.partitions, consumerName: name, ...TIMES, ...overrides },
      },
      { OMNIBUS_TEST_REDIS: url, ...env },
    );
    this.consumers.push(child);
    return child;
  }

  /** Lets a frozen consumer go on. What it was doing when it froze does not count as running since. */
  thaw(child: Child): void {
    const { name: consumer } = child;
    // It has told by now all that it had to tell, which at the time of the freeze may have been on its way.
    const running = this.history.of(GROUP, { consumer }).filter(({ outcome }) => outcome === 'running');
    const atMs = Math.max(...running.map(({ startedAtMs }) => startedAtMs));
    if (running.length > 0) this.history.apply({ kind: 'gone', consumer, atMs });
    child.thaw();
  }

  async publish(request: Parameters<typeof makeEvents>[0]): Promise<readonly DomainEvent[]> {
    const events = makeEvents(request);
    await recordedPublish((entry) => this.history.apply(entry), this.publisher, events, {
      publisher: 'publisher',
    });
    return events;
  }

  /** Waits until the group has nothing left to do. */
  async untilDone(): Promise<void> {
    await until('the group to have handled everything', async () => (await this.publisher.lag()).total === 0);
  }

  async inFlight(child: Child): Promise<number> {
    return (await child.call<Counted>('stats')).inFlight;
  }

  /** How many successes the processes recorded that were not refused afterwards. */
  async recorded(): Promise<number> {
    const counts = await Promise.all(this.consumers.map((child) => child.call<Counted>('stats')));
    return counts.reduce(
      (sum, { eventsProcessedSuccess, fencedSettlements }) =>
        sum + eventsProcessedSuccess - fencedSettlements,
      0,
    );
  }

  /** Fails when something was lost, came out of order or side by side. Handling again is allowed: who was cut off may have been done. */
  expectOrder(givenUp: readonly { readonly eventId: string }[] = []): void {
    const report = check(this.history, {
      group: GROUP,
      givenUp: new Set(givenUp.map(({ eventId }) => eventId)),
    });
    if (!isClean(report, ['duplicated'])) throw new Error(explain(report, this.history));
  }

  /** What commands of an owner change at the server, but for leases. */
  async facts(client: Redis): Promise<unknown> {
    const journal = `{${this.stream}}:journal:${GROUP}`;
    const [pending, groups, journalText, letters] = await Promise.all([
      client.xpending(this.stream, GROUP, '-', '+', 1_000),
      client.xinfo('GROUPS', this.stream),
      client.get(journal),
      client.xlen(`${this.stream}_dlq`),
    ]);
    return {
      pending: (pending as [string, string][]).map(([id, consumer]) => `${id} ${consumer}`),
      groups,
      journal: journalText,
      letters,
    };
  }

  /** Entries that the server has as given to this consumer and not settled. */
  async pendingOf(client: Redis, consumer: string): Promise<number> {
    const pending = await client.xpending(this.stream, GROUP, '-', '+', 1_000, consumer);
    return pending.length;
  }

  async close(): Promise<void> {
    await this.processes.reap();
    await this.publisher.shutdown({ timeoutMs: 1_000 });
  }
}
