import {
  BusError,
  busClosed,
  type ConsumeSpec,
  type DeliverySink,
  delay,
  isConnectionTrouble,
  type Outages,
  type OutboundRecord,
  type StartableConsumption,
  type TransportEvents,
  within,
} from '@omnibus/core/transport';
import { KafkaClient } from './client.js';
import { Commits } from './commits.js';
import type { ConnectionPart } from './connection-part.js';
import { toBusError } from './errors.js';
import { Fetcher, type FetcherEvents } from './fetcher.js';
import { type GroupCoordinator, leaveGroup } from './groups.js';
import { Membership } from './membership.js';
import type { KafkaSettings } from './options.js';
import { OwnedPartition } from './owned-partition.js';
import { readTakeOver } from './take-over.js';
import { TopicView } from './topic-view.js';

/** What a consumer shares with the rest of the bus. */
export interface ConsumerParts {
  readonly settings: KafkaSettings;
  readonly topic: string;
  /** On the connections of publishing: a join that waits keeps its own connection busy, and commits must not wait for it. */
  readonly coordinator: GroupCoordinator;
  readonly view: TopicView;
  /** Where to begin in partitions in which the group has no position. */
  readonly pinned: ReadonlyMap<number, string>;
  readonly events: TransportEvents;
  readonly outages: Outages<ConnectionPart>;
  readonly writeDeadLetter: (letter: OutboundRecord) => Promise<void>;
  readonly topicMissing: () => void;
  /** The topic is another one than it was. */
  readonly topicRemade: (error: BusError) => void;
  /** A request over the connections of publishing got no answer. */
  readonly unreachable: (error: BusError) => void;
}

/** How often is looked whether the stream has more partitions. */
const GROWTH_CHECK_MS = 30_000;
const REOPEN_DELAY_MS = 1_000;
/** How long the word of goodbye may take. Without it the partitions are free when the session ends. */
const MAX_LEAVE_MS = 2_000;
const MIN_LEAVE_MS = 300;
/** Beyond the time for draining: committing what was drained. */
const HAND_OVER_GRACE_MS = 3_000;
const STOP_GRACE_MS = 300;
/** What a crash repeats beside what is being handled: at most about this part of `maxInFlight`. */
const COMMIT_SHARE = 4;

/** One member of one group: joins, owns partitions, fetches them, commits what is settled. */
export class KafkaConsumer implements StartableConsumption {
  private readonly owned = new Map<number, OwnedPartition>();
  /** Partitions that the group gave to this member. */
  private wanted: ReadonlySet<number> = new Set();
  private readonly client: KafkaClient;
  private readonly membership: Membership;
  private readonly fetcher: Fetcher;
  private readonly commits: Commits;
  private readonly stopping = new AbortController();
  private growth: NodeJS.Timeout | undefined;
  /** Partitions of the stream when this member last saw to it that they are shared out. */
  private sharedOut = 0;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly parts: ConsumerParts,
    private readonly spec: ConsumeSpec,
    private readonly sink: DeliverySink,
  ) {
    const { settings, topic, coordinator } = parts;
    this.client = new KafkaClient(settings, spec.consumerName);
    const view = new TopicView(this.client.cluster, topic);
    const told = (part: ConnectionPart): Pick<FetcherEvents, 'works' | 'failed'> => ({
      works: () => this.works(part),
      failed: (error) => this.failed(error, part),
    });
    this.membership = new Membership(
      this.client.cluster,
      view,
      { ...settings, group: spec.group.name },
      {
        ...told('membership'),
        owned: () => [...this.owned.keys()],
        assigned: (partitions) => this.assigned(partitions),
        lost: (cause) => this.lost(cause),
        committable: () => this.commits.committable(),
        hung: (patienceMs) => this.client.dropStuck(patienceMs),
      },
    );
    this.fetcher = new Fetcher(this.client.cluster, view, settings, {
      ...told('fetching'),
      problem: (error) => parts.events.error(error),
      topicMissing: parts.topicMissing,
      topicRemade: parts.topicRemade,
    });
    this.commits = new Commits(coordinator, topic, Math.ceil(spec.maxInFlight / COMMIT_SHARE), {
      identity: () => this.membership.identity,
      refused: (generationId, type) => this.membership.refused(generationId, type),
      // Commits go over the connections of publishing.
      problem: (error) => this.failed(error, 'publishing'),
    });
  }

  /** Resolves when the group has given this member its share, which may be nothing at first. */
  async start(): Promise<void> {
    try {
      await this.client.connect();
      await this.client.cluster.addMultipleTargetTopics([this.parts.topic]);
      this.sharedOut = this.parts.view.partitions;
      await this.membership.start();
      if (this.stopping.signal.aborted) throw busClosed('startConsuming');
    } catch (error) {
      await this.close();
      throw toBusError(error, `join the group ${this.spec.group.name}`);
    }
    this.growth = setInterval(() => void this.checkGrowth(), GROWTH_CHECK_MS);
    void this.membership.run();
  }

  stop(timeoutMs: number): Promise<void> {
    this.stopped ??= this.stopNow(timeoutMs);
    return this.stopped;
  }

  private async stopNow(timeoutMs: number): Promise<void> {
    this.stopping.abort();
    this.membership.stop();
    this.fetcher.close();
    this.commits.stop();
    await this.handOver([...this.owned.values()], timeoutMs, STOP_GRACE_MS);
    await this.leave(timeoutMs);
    this.lost(new BusError('FENCED', 'The consumer was stopped'));
    await this.close();
  }

  private async leave(timeoutMs: number): Promise<void> {
    const { coordinator } = this.parts;
    const { name, ephemeral } = this.spec.group;
    const memberId = this.membership.id;
    this.membership.close();
    if (memberId === '') return;
    const patienceMs = this.parts.outages.isDown
      ? MIN_LEAVE_MS
      : Math.max(MIN_LEAVE_MS, Math.min(timeoutMs, MAX_LEAVE_MS));
    try {
      await leaveGroup(coordinator, memberId, ephemeral, patienceMs);
    } catch (error) {
      this.parts.events.error(toBusError(error, `leave the group ${name}`));
    }
  }

  private async close(): Promise<void> {
    clearInterval(this.growth);
    this.stopping.abort();
    this.membership.close();
    this.fetcher.close();
    this.commits.close();
    // A fetch or a join that waits at the broker would hold the close up.
    this.client.abort('The consumer is stopped');
    this.parts.outages.forget('membership');
    this.parts.outages.forget('fetching');
    await this.client.close();
  }

  private async assigned(partitions: readonly number[]): Promise<boolean> {
    this.wanted = new Set(partitions);
    const before = [...this.owned.keys()].sort().join();
    const moved = [...this.owned.values()].filter(({ partition }) => !this.wanted.has(partition));
    const added = partitions.filter((partition) => !this.owned.has(partition));
    if (added.length > 0) await this.adopt(added);
    if (moved.length > 0) {
      for (const owned of moved) this.fetcher.remove(owned);
      await this.handOver(moved, this.spec.handOverTimeoutMs, HAND_OVER_GRACE_MS);
      for (const owned of moved)
        this.giveUp(owned, new BusError('FENCED', `Partition ${owned.partition} goes to another process`));
    }
    if ([...this.owned.keys()].sort().join() !== before)
      this.parts.events.rebalanced(this.spec.group.name, [...this.owned.keys()]);
    return moved.length > 0;
  }

  private async adopt(partitions: readonly number[]): Promise<void> {
    const { coordinator, view, pinned } = this.parts;
    const { wanted } = this;
    const { starts, journals } = await readTakeOver(coordinator, view, partitions, pinned);
    // What was read is of no use when the group shared out again meanwhile: others may have gone further.
    if (this.stopping.signal.aborted || this.wanted !== wanted) return;
    for (const partition of partitions) {
      if (this.owned.has(partition) || !wanted.has(partition)) continue;
      this.own(partition, starts.get(partition) ?? '0', journals);
    }
  }

  private own(partition: number, start: string, journals: ReadonlyMap<number, string>): void {
    const owned = new OwnedPartition(partition, start, journals.get(partition) ?? '', {
      isInSession: () => this.membership.isInSession,
      changed: (changed, soon, settlements) => this.commits.changed(changed, soon, settlements),
      resumed: (resumed) => this.fetcher.wakeFor(resumed),
      writeDeadLetter: this.parts.writeDeadLetter,
      fenced: (count) => this.parts.events.fenced(count),
    });
    this.owned.set(partition, owned);
    owned.attach(this.sink.assign(partition, owned));
    this.fetcher.add(owned);
    void this.open(owned, journals);
  }

  private async open(owned: OwnedPartition, journals: ReadonlyMap<number, string>): Promise<void> {
    try {
      await owned.open(journals);
    } catch (error) {
      if (owned.isLost) return;
      const cause = toBusError(error, `take over partition ${owned.partition}`);
      this.parts.events.error(cause);
      this.giveUp(owned, cause);
      await delay(REOPEN_DELAY_MS, this.stopping.signal);
      await this.adoptAgain(owned.partition);
    }
  }

  private async adoptAgain(partition: number): Promise<void> {
    if (this.stopping.signal.aborted || !this.wanted.has(partition) || this.owned.has(partition)) return;
    try {
      await this.adopt([partition]);
    } catch (error) {
      this.failed(toBusError(error, `take over partition ${partition}`), 'publishing');
      // The next share-out offers it again, to us or to another member.
      this.membership.requestRebalance();
    }
  }

  /** Lets the running handlers finish, and makes durable what they did. Bounded, also when the broker does not answer. */
  private async handOver(
    partitions: readonly OwnedPartition[],
    timeoutMs: number,
    graceMs: number,
  ): Promise<void> {
    const drain = async (owned: OwnedPartition): Promise<void> => {
      try {
        await owned.handOver(timeoutMs);
        await owned.flush();
      } catch (error) {
        if (!owned.isLost)
          this.parts.events.error(toBusError(error, `hand over partition ${owned.partition}`));
      }
    };
    const boundMs = timeoutMs + graceMs;
    const late = (): BusError =>
      new BusError('TIMEOUT', `Handing over ${partitions.length} partitions took longer than ${boundMs} ms`);
    await within(boundMs, Promise.all(partitions.map(drain)), late).catch((error: unknown) => {
      this.parts.events.error(toBusError(error, 'hand over partitions'));
    });
  }

  private lost(cause: BusError): void {
    const had = this.owned.size;
    this.wanted = new Set();
    for (const owned of [...this.owned.values()]) this.giveUp(owned, cause);
    if (had > 0 && !this.stopping.signal.aborted) this.parts.events.rebalanced(this.spec.group.name, []);
  }

  private giveUp(owned: OwnedPartition, cause: BusError): void {
    this.fetcher.remove(owned);
    if (this.owned.get(owned.partition) === owned) this.owned.delete(owned.partition);
    const refused = owned.lose(cause);
    if (refused > 0) this.parts.events.fenced(refused);
  }

  private async checkGrowth(): Promise<void> {
    const { view } = this.parts;
    try {
      await view.refresh();
      // Others look at the view, too: it may have grown long before.
      if (view.partitions === this.sharedOut) return;
      this.sharedOut = view.partitions;
      this.membership.requestRebalance();
    } catch (error) {
      this.failed(toBusError(error, `look at the topic ${view.topic}`), 'publishing');
    }
  }

  private works(part: ConnectionPart): void {
    if (!this.stopping.signal.aborted) this.parts.outages.works(part);
  }

  private failed(error: BusError, part: ConnectionPart): void {
    if (this.stopping.signal.aborted) return;
    if (!isConnectionTrouble(error)) this.parts.events.error(error);
    else if (part === 'publishing') this.parts.unreachable(error);
    else this.parts.outages.failed(part, error);
  }
}
