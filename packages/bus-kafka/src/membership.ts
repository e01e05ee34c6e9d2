import { BusError, deferred, delay, Elapsed, reconnectDelayMs } from '@omnibus/core/transport';
import type { Assignment } from './assigner.js';
import { protocolTypeOf, toBusError } from './errors.js';
import {
  assign,
  decodeAssignment,
  encodeClaim,
  type JoinedMember,
  PROTOCOL_NAME,
  topicsOf,
} from './group-protocol.js';
import {
  isFencing,
  type JoinedGroup,
  joinGroup,
  type MemberIdentity,
  MemberIdRequired,
} from './group-requests.js';
import { findCoordinator, isStaleCoordinator } from './groups.js';
import { Heartbeat, type HeartbeatSettings } from './heartbeat.js';
import type { KafkaBroker, KafkaCluster } from './kafkajs-cluster.js';
import { TopicView } from './topic-view.js';

/** The group, and the times of a membership. */
export interface MembershipSettings extends HeartbeatSettings {
  readonly group: string;
  readonly rebalanceTimeoutMs: number;
}

/** What a member does with what it is told. */
export interface MembershipHandler {
  /** Partitions that this process owns now. */
  owned(): readonly number[];
  /**
   * These are ours from now on; the rest is to be given up. Resolves when it is; true when something was, so that the
   * group has to share out again.
   */
  assigned(partitions: readonly number[]): Promise<boolean>;
  /** Nothing is ours any more: the group went on without us, or may have done so. Synchronous. */
  lost(cause: BusError): void;
  /** Commits may be made under a new generation. */
  committable(): void;
  works(): void;
  failed(error: BusError): void;
  /** A request got no answer for this long: connections on which one waits longer are to be broken. */
  hung(patienceMs: number): void;
}

/** While others give up partitions for a new share-out, members look this often for the next one. */
const EAGER_HEARTBEAT_MS = 150;
/** Errors that trying again cannot change. */
const FATAL: ReadonlySet<string> = new Set([
  'AUTHORIZATION',
  'AUTHENTICATION',
  'CONFIGURATION',
  'TLS',
  'UNSUPPORTED',
]);

/**
 * This process as a member of a consumer group: joins, tells that it lives, learns of rebalances. Joining again does not
 * stop what it owns; only what moves is given up. Recovers by itself until it is stopped.
 */
export class Membership {
  private memberId = '';
  private generationId = -1;
  private committing: MemberIdentity | undefined;
  private coordinator: KafkaBroker | undefined;
  private joining = false;
  private readonly heartbeat: Heartbeat;
  private readonly stopping = new AbortController();
  private rebalance = deferred();

  constructor(
    private readonly cluster: KafkaCluster,
    private readonly view: TopicView,
    private readonly settings: MembershipSettings,
    private readonly handler: MembershipHandler,
  ) {
    this.heartbeat = new Heartbeat(settings, {
      send: (member, sent) => this.sendHeartbeat(member, sent),
      rebalance: () => this.requestRebalance(),
      refused: (member, type) => this.refused(member.groupGenerationId, type),
      silent: (silentMs) => this.fenceSelf(silentMs),
      hung: (patienceMs) => handler.hung(patienceMs),
      failed: (error) => handler.failed(error),
      works: () => handler.works(),
    });
    this.stopping.signal.addEventListener('abort', () => this.rebalance.resolve());
  }

  /** Under which generation commits are accepted; undefined between two generations and before the first. */
  get identity(): MemberIdentity | undefined {
    return this.committing;
  }

  /** False as soon as the group may have given what this process owns to others. */
  get isInSession(): boolean {
    return this.heartbeat.isInSession;
  }

  /** For `LeaveGroup`. Empty before the first join. */
  get id(): string {
    return this.memberId;
  }

  /** Joins for the first time. Rejects with what trying again cannot change. */
  start(): Promise<void> {
    return this.joinUntilAssigned(true);
  }

  /** Keeps the membership until `stop`. Never rejects. */
  async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.rebalance.promise;
      await this.joinUntilAssigned(false);
    }
  }

  /** Joins no more. Heartbeats go on until `close`. */
  stop(): void {
    this.stopping.abort();
  }

  close(): void {
    this.stopping.abort();
    this.heartbeat.close();
    this.committing = undefined;
  }

  /** The share-out has to be made again. */
  requestRebalance(): void {
    this.rebalance.resolve();
  }

  /** The group refused something of a generation: it went on without us. What is refused while we join says nothing. */
  refused(generationId: number, type: string): void {
    if (this.joining || generationId !== this.generationId) return;
    this.fence(
      new BusError(
        'FENCED',
        `The group ${this.settings.group} went on without this process (${type}); it joins again`,
      ),
    );
  }

  private async joinUntilAssigned(first: boolean): Promise<void> {
    let failures = 0;
    while (!this.stopping.signal.aborted) {
      this.rebalance = deferred();
      try {
        const { partitions } = await this.join();
        if (this.stopping.signal.aborted) return;
        this.handler.works();
        const gaveUp = await this.handler.assigned(partitions);
        failures = 0;
        if (!gaveUp) return;
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        failures += 1;
        await this.recover(error, failures, first);
      }
    }
  }

  private async recover(error: unknown, failures: number, first: boolean): Promise<void> {
    const type = protocolTypeOf(error);
    if (type === 'REBALANCE_IN_PROGRESS') return;
    const reason = toBusError(error, `join the group ${this.settings.group}`);
    if (first && FATAL.has(reason.code)) throw reason;
    if (isFencing(type)) {
      // Only a join tells for certain: a coordinator that goes down or comes up forgets its members for a moment, and who
      // joins as somebody new then has to wait until his old self is given up.
      this.memberId = '';
      this.fence(reason);
    } else {
      this.coordinator = undefined;
      if (!isStaleCoordinator(type)) this.handler.failed(reason);
    }
    await delay(reconnectDelayMs(failures), this.stopping.signal);
  }

  /** One round: everybody joins, the leader shares out, everybody is told. */
  private async join(): Promise<Assignment> {
    this.joining = true;
    this.heartbeat.joinBegins();
    try {
      const joined = await this.joinGroup();
      this.heartbeat.joinAnswered();
      // Between here and the leader's answer nothing can be committed.
      this.committing = undefined;
      const contact = new Elapsed();
      const assignment = await this.sync(joined);
      this.becomeMember(joined, contact, assignment.incomplete);
      return assignment;
    } catch (error) {
      this.heartbeat.joinFailed();
      throw error;
    } finally {
      this.joining = false;
    }
  }

  private becomeMember({ generationId, memberId }: JoinedGroup, contact: Elapsed, incomplete: boolean): void {
    const { group, heartbeatIntervalMs } = this.settings;
    if (this.stopping.signal.aborted) return;
    this.generationId = generationId;
    this.committing = { groupId: group, groupGenerationId: generationId, memberId };
    this.heartbeat.joined(
      this.committing,
      contact,
      incomplete ? Math.min(EAGER_HEARTBEAT_MS, heartbeatIntervalMs) : heartbeatIntervalMs,
    );
    this.handler.committable();
  }

  private async joinGroup(): Promise<JoinedGroup> {
    this.coordinator ??= await findCoordinator(this.cluster, this.settings.group);
    // A join may wait long for others; that is no outage.
    this.handler.works();
    const { group, sessionTimeoutMs, rebalanceTimeoutMs } = this.settings;
    const claim = { owned: this.handler.owned(), generation: this.generationId };
    const request = {
      groupId: group,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocolName: PROTOCOL_NAME,
      metadata: encodeClaim(this.view.topic, claim),
    };
    try {
      return await joinGroup(this.coordinator, { ...request, memberId: this.memberId });
    } catch (error) {
      if (!(error instanceof MemberIdRequired)) throw error;
      // Kept, so that a join whose answer is lost leaves no stranger in the group.
      this.memberId = error.memberId;
      return joinGroup(this.coordinator, { ...request, memberId: this.memberId });
    }
  }

  private async sync({ generationId, memberId, leaderId, members }: JoinedGroup): Promise<Assignment> {
    this.memberId = memberId;
    const groupAssignment = leaderId === memberId ? assign(members, await this.partitionsOf(members)) : [];
    const { memberAssignment } = await (this.coordinator as KafkaBroker).syncGroup({
      groupId: this.settings.group,
      generationId,
      memberId,
      groupAssignment,
    });
    return decodeAssignment(this.view.topic, memberAssignment);
  }

  private async partitionsOf(members: readonly JoinedMember[]): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const topic of topicsOf(members)) {
      const view = topic === this.view.topic ? this.view : new TopicView(this.cluster, topic);
      // A topic of others that is gone must not keep ours from being shared out.
      await view
        .refresh()
        .catch((error: unknown) => (view === this.view ? Promise.reject(error) : undefined));
      counts.set(topic, view.partitions);
    }
    return counts;
  }

  private async sendHeartbeat(
    { groupId, groupGenerationId, memberId }: MemberIdentity,
    sent: () => void,
  ): Promise<void> {
    try {
      this.coordinator ??= await findCoordinator(this.cluster, groupId);
      sent();
      await this.coordinator.heartbeat({ groupId, groupGenerationId, memberId });
    } catch (error) {
      if (!isFencing(protocolTypeOf(error)) && !this.joining) this.coordinator = undefined;
      throw error;
    }
  }

  /** Others may have our partitions by now: better to hand out nothing than to hand out twice. */
  private fenceSelf(silentMs: number): void {
    if (this.generationId < 0 && this.handler.owned().length === 0) return;
    this.fence(
      new BusError(
        'FENCED',
        `This process had no contact to the group ${this.settings.group} for ${Math.round(silentMs)} ms; it joins again`,
      ),
    );
    // A join that waits claims what is ours no more.
    if (this.joining) this.handler.hung(0);
  }

  /** From now on nothing is ours, whatever the group thinks. */
  private fence(cause: BusError): void {
    this.committing = undefined;
    this.generationId = -1;
    this.handler.lost(cause);
    this.heartbeat.left();
    this.rebalance.resolve();
  }
}
