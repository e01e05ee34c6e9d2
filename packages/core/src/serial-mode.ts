import type { Delivery } from './delivery.js';
import type { LaneHost, PartitionLane } from './partition-lane.js';
import type { OneByOne } from './scheduler.js';

const SAVE_AGAIN_MS = 1_000;

/**
 * While suspects of a crash wait in any partition, one event at a time runs in the whole process, whichever partition it
 * is of, and is written down before it starts (its intent). So a death names exactly one event. What was written down is
 * withdrawn before events run beside each other again: an intent that is left behind would be blamed for their deaths.
 */
export class SerialMode implements OneByOne {
  private readonly suspectLanes = new Set<PartitionLane>();
  /** Their journals hold an intent of this process; in the order of the intents. */
  private readonly notedLanes = new Set<PartitionLane>();
  private sequence = 0;
  private withdrawing: Promise<void> | undefined;

  constructor(private readonly host: Pick<LaneHost, 'delay' | 'problem'>) {}

  /** Suspects wait. */
  get active(): boolean {
    if (this.suspectLanes.size === 0) return false;
    for (const lane of this.suspectLanes) {
      if (lane.serial) return true;
      if (lane.isLost || !lane.journal.serial) this.suspectLanes.delete(lane);
    }
    return false;
  }

  /** Nothing may start without `announce`. */
  get isOn(): boolean {
    return this.active || this.notedLanes.size > 0;
  }

  suspected(lane: PartitionLane): void {
    this.suspectLanes.add(lane);
  }

  /** Makes the journals say what a death would mean once this delivery runs. False when it may not run any more. */
  async announce(delivery: Delivery, lane: PartitionLane): Promise<boolean> {
    if (this.active) return this.noteIntent(delivery, lane);
    this.withdrawing ??= this.withdrawIntents().finally(() => {
      this.withdrawing = undefined;
    });
    await this.withdrawing;
    return lane.startable;
  }

  private async noteIntent({ record }: Delivery, lane: PartitionLane): Promise<boolean> {
    this.sequence += 1;
    const { sequence } = this;
    lane.journal.setIntent(record.position, sequence);
    this.notedLanes.delete(lane);
    this.notedLanes.add(lane);
    await this.save(lane, () => lane.startable);
    return lane.startable && lane.journal.intends(sequence);
  }

  /** The oldest first: the newest is the one that counts. */
  private async withdrawIntents(): Promise<void> {
    for (const lane of this.notedLanes) {
      lane.journal.withdrawIntent();
      await this.save(lane, () => !lane.isGone);
      this.notedLanes.delete(lane);
    }
  }

  private async save(lane: PartitionLane, isNeeded: () => boolean): Promise<void> {
    while (isNeeded()) {
      try {
        return await lane.journal.save();
      } catch (error) {
        this.host.problem(error, 'note which event is handled next');
        await this.host.delay(SAVE_AGAIN_MS);
      }
    }
  }
}
