import type { DeliverySink, TransportEvents } from '../../src/transport.js';
import type { Slot } from './broker.js';
import type { Coordinator, Joined } from './coordinator.js';
import { type Holder, Ownership } from './ownership.js';
import type { Surroundings } from './surroundings.js';
import type { Life } from './time.js';
import type { Wire } from './wire.js';

/** One process in its group. */
export class Member implements Holder, Joined {
  readonly owned: Map<number, Ownership> = new Map<number, Ownership>();
  isStopping = false;

  constructor(
    readonly world: Surroundings,
    readonly coordinator: Coordinator,
    readonly life: Life,
    readonly wire: Wire,
    readonly sink: DeliverySink,
    readonly events: TransportEvents,
    private readonly handOverTimeoutMs: number,
  ) {}

  mayTake(partition: number): boolean {
    return !this.life.ended && !this.isStopping && !this.wire.isOffline && !this.owned.has(partition);
  }

  acquire(slot: Slot): void {
    const ownership = new Ownership(slot, this);
    slot.owner = ownership;
    this.owned.set(slot.partition, ownership);
    ownership.open().catch(() => this.release(ownership));
  }

  /** Gives the partition up in order. `keeps`: and then not at all, as when a rebalance leaves it here. */
  async handOver(ownership: Ownership, timeoutMs: number, keeps: boolean): Promise<void> {
    if (ownership.isMoving || ownership.isDropped) return;
    ownership.isMoving = true;
    ownership.history.handingOver();
    await ownership.assigned.handOver(timeoutMs);
    ownership.history.handedOver();
    ownership.isMoving = false;
    if (!keeps || this.isStopping) return this.release(ownership);
    ownership.history.resuming();
    await ownership.assigned.resume().catch(() => this.release(ownership));
  }

  move(ownership: Ownership, keeps: boolean): void {
    void this.handOver(ownership, this.handOverTimeoutMs, keeps);
  }

  async stop(timeoutMs: number): Promise<void> {
    this.isStopping = true;
    await Promise.all(
      [...this.owned.values()].map(async (ownership) => {
        await this.handOver(ownership, timeoutMs, false);
        this.release(ownership);
      }),
    );
    this.coordinator.leave(this);
  }

  /** The process knows that it owns the partition no longer. */
  drop(ownership: Ownership): void {
    if (ownership.isDropped) return;
    ownership.isDropped = true;
    ownership.history.ended();
    this.owned.delete(ownership.partition);
    ownership.assigned.lost();
  }

  private release(ownership: Ownership): void {
    const { slot } = ownership;
    const wasOurs = slot.owner === ownership;
    if (wasOurs) slot.owner = undefined;
    this.drop(ownership);
    if (wasOurs) this.coordinator.assignSoon(slot);
  }
}
