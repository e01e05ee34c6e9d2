import { type BusError, Elapsed, reconnectDelayMs } from '@omnibus/core/transport';
import { protocolTypeOf, toBusError } from './errors.js';
import { isFencing, type MemberIdentity } from './group-requests.js';
import { isStaleCoordinator } from './groups.js';

/** What a heartbeat needs, and whom it tells. */
export interface HeartbeatHandler {
  /** One request to the coordinator. `sent` is called when it leaves on a connection that stands. */
  send(member: MemberIdentity, sent: () => void): Promise<void>;
  /** The group shares out again. */
  rebalance(): void;
  /** The group does not know this member any more. */
  refused(member: MemberIdentity, type: string): void;
  /** No contact for longer than the session lasts: others may own what we think is ours. */
  silent(silentMs: number): void;
  /** A request that left got no answer for this long. */
  hung(patienceMs: number): void;
  failed(error: BusError): void;
  works(): void;
}

/** Times of a heartbeat. */
export interface HeartbeatSettings {
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

/** Answers may take this long even where heartbeats are more frequent. */
const MIN_PATIENCE_MS = 1_000;

/**
 * Tells the group that this process lives, and watches how long ago the group last heard of it. One timer, which also
 * notices when the whole process stood still: its own lateness.
 */
export class Heartbeat {
  private member: MemberIdentity | undefined;
  private contact: Elapsed = new Elapsed();
  /** `joining`: the coordinator holds our request. `between`: a join failed and the next has not begun. */
  private phase: 'joining' | 'between' | 'member' = 'between';
  private closed = false;
  private beating = false;
  private expired = false;
  private failures = 0;
  private intervalMs: number;
  private timer: NodeJS.Timeout | undefined;
  private sinceTick = new Elapsed();

  constructor(
    private readonly settings: HeartbeatSettings,
    private readonly handler: HeartbeatHandler,
  ) {
    this.intervalMs = settings.heartbeatIntervalMs;
  }

  /** A join waits for others: meanwhile the coordinator counts this process as alive. */
  joinBegins(): void {
    this.phase = 'joining';
    if (!this.timer) this.schedule(this.intervalMs);
  }

  /**
   * The coordinator had us until it answered, and counts again since then. When that was, a process that stood still
   * cannot tell; but not before it stood still.
   */
  joinAnswered(): void {
    this.contact = this.sinceTick;
  }

  joinFailed(): void {
    this.phase = 'between';
  }

  /** Member of a generation. `contact` runs since the request that the coordinator answered last. */
  joined(member: MemberIdentity, contact: Elapsed, intervalMs: number): void {
    this.phase = 'member';
    this.member = member;
    this.contact = contact;
    this.intervalMs = intervalMs;
    this.failures = 0;
    this.schedule(intervalMs);
  }

  /** Nothing is ours any more. */
  left(): void {
    this.member = undefined;
    this.expired = false;
  }

  /**
   * Whether the group must still count this process as its member. Asked before every handler: after a process stood
   * still, the timers of handlers may come before the one of the heartbeat. Once false it stays so until `left`.
   */
  get isInSession(): boolean {
    if (this.expired) return false;
    if (this.silentMs <= this.settings.sessionTimeoutMs) return true;
    this.expired = true;
    setImmediate(() => this.tick());
    return false;
  }

  /** A join that waits is contact, unless this process slept meanwhile. */
  private get silentMs(): number {
    return this.phase === 'joining' || !this.member ? this.sinceTick.ms : this.contact.ms;
  }

  close(): void {
    this.closed = true;
    this.member = undefined;
    clearTimeout(this.timer);
  }

  private get patienceMs(): number {
    return Math.max(this.settings.heartbeatIntervalMs, MIN_PATIENCE_MS);
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    this.sinceTick = new Elapsed();
    this.timer = setTimeout(() => this.tick(), Math.min(ms, this.sessionLeftMs));
  }

  /** From then on others may own what is ours: that must not be noticed a heartbeat later. */
  private get sessionLeftMs(): number {
    if (this.phase === 'joining' || !this.member) return Number.POSITIVE_INFINITY;
    const leftMs = this.settings.sessionTimeoutMs - this.contact.ms;
    return leftMs < 0 ? Number.POSITIVE_INFINITY : leftMs + 1;
  }

  private tick(): void {
    if (this.closed) return;
    const { silentMs } = this;
    const lateMs = this.sinceTick.ms;
    this.schedule(this.intervalMs);
    if (this.expired || Math.max(lateMs, silentMs) > this.settings.sessionTimeoutMs) {
      // Also until everything is given up: the ticks began anew just now.
      this.expired = true;
      this.handler.silent(Math.max(lateMs, silentMs));
    } else if (this.phase === 'member' && this.member && !this.beating) {
      void this.beat(this.member);
    }
  }

  private async beat(member: MemberIdentity): Promise<void> {
    let patience: NodeJS.Timeout | undefined;
    let sent = new Elapsed();
    this.beating = true;
    // After a busy moment of this process its timers come before what is there to be read: the answer may be among it.
    const lookOnce = (): void => {
      setImmediate(() => this.beating && this.handler.hung(this.patienceMs));
    };
    try {
      await this.handler.send(member, () => {
        sent = new Elapsed();
        patience = setTimeout(lookOnce, this.patienceMs);
      });
      this.heard(member, sent);
    } catch (error) {
      this.notHeard(member, sent, error);
    } finally {
      clearTimeout(patience);
      this.beating = false;
    }
  }

  private heard(member: MemberIdentity, sent: Elapsed): void {
    if (this.member !== member) return;
    // Since it left, not since the answer: the coordinator may have counted from then.
    this.contact = sent;
    this.failures = 0;
    this.handler.works();
  }

  private notHeard(member: MemberIdentity, sent: Elapsed, error: unknown): void {
    if (this.member !== member || this.phase !== 'member') return;
    const type = protocolTypeOf(error);
    if (type === 'REBALANCE_IN_PROGRESS') {
      this.heard(member, sent);
      this.handler.rebalance();
    } else if (type !== undefined && isFencing(type)) {
      this.handler.refused(member, type);
    } else {
      this.failures += 1;
      if (!isStaleCoordinator(type)) {
        this.handler.failed(toBusError(error, `send a heartbeat to the group ${member.groupId}`));
      }
      this.schedule(Math.min(reconnectDelayMs(this.failures), this.intervalMs));
    }
  }
}
