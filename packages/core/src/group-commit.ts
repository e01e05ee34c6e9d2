import { reconnectDelayMs } from './delay.js';

/** What a group commit is made with. */
export interface GroupCommitParts<P> {
  /** How long what changed may wait for more. */
  readonly intervalMs: number;
  /** So many settlements do not wait. */
  readonly maxSettlements: number;
  /** Whether anything can be stored now. `wake` follows when that changes. */
  readonly isReady: () => boolean;
  /** Makes durable what these partitions have. Resolves to false when that has to be tried again. Never rejects. */
  readonly store: (partitions: readonly P[]) => Promise<boolean>;
}

/**
 * Makes settlements and journals durable in the rhythm of one store at a time: what changes meanwhile goes with the next,
 * for all partitions together. What somebody waits for goes at the end of the turn of the event loop; what failed, after a
 * growing pause. (Group commit: DeWitt et al., "Implementation techniques for main memory database systems", 1984.)
 */
export class GroupCommit<P extends { readonly isLost: boolean }> {
  private readonly changedPartitions = new Set<P>();
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private running = false;
  private urgent = false;
  private failures = 0;
  private settlements = 0;
  private closed = false;

  constructor(private readonly parts: GroupCommitParts<P>) {}

  get isRunning(): boolean {
    return this.running;
  }

  /** `soon`: somebody waits for it. `settlements`: what a crash would repeat until it is stored. */
  changed(partition: P, soon: boolean, settlements: number): void {
    if (this.closed) return;
    this.changedPartitions.add(partition);
    this.settlements += settlements;
    this.urgent ||= soon || this.settlements >= this.parts.maxSettlements;
    this.wake();
  }

  /** It was not stored: it goes with the next. For `store`. */
  again(partition: P): void {
    if (this.closed) return;
    this.changedPartitions.add(partition);
    this.urgent = true;
  }

  /** What waits may be stored now. */
  wake(): void {
    if (this.closed || this.running || this.changedPartitions.size === 0) return;
    if (this.failures > 0) this.after(reconnectDelayMs(this.failures));
    else if (this.urgent) this.immediate ??= setImmediate(() => void this.store());
    else this.after(this.parts.intervalMs);
  }

  close(): void {
    this.closed = true;
    this.clearTimers();
    this.changedPartitions.clear();
  }

  private after(ms: number): void {
    this.timer ??= setTimeout(() => void this.store(), ms);
  }

  private async store(): Promise<void> {
    this.clearTimers();
    if (this.running || this.closed || !this.parts.isReady()) return;
    const partitions = [...this.changedPartitions].filter(({ isLost }) => !isLost);
    this.changedPartitions.clear();
    if (partitions.length === 0) return;
    this.running = true;
    this.urgent = false;
    this.settlements = 0;
    const isStored = await this.parts.store(partitions);
    this.running = false;
    this.failures = isStored ? 0 : this.failures + 1;
    this.wake();
  }

  private clearTimers(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = undefined;
    this.immediate = undefined;
  }
}
