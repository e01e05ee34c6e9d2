/** An acknowledgement to be sent. `upTo`: of everything before it as well. */
export interface Ack {
  readonly deliveryTag: number;
  readonly upTo: boolean;
}

/**
 * Which deliveries of a channel are still to be acknowledged. What is settled without a gap is acknowledged at once, by
 * its last one; the rest one by one, so that an event that waits for its next attempt does not fill the prefetch window.
 */
export class Acks {
  /** The first delivery that is not settled. */
  private first = 1;
  /** Settled behind it, acknowledged one by one. */
  private readonly ahead = new Set<number>();
  private delivered = 0;

  /** Delivery tags of a channel count from 1. */
  deliveredUpTo(deliveryTag: number): void {
    this.delivered = deliveryTag;
  }

  /** Delivered and not acknowledged. */
  get open(): number {
    return this.delivered - (this.first - 1) - this.ahead.size;
  }

  /** What to send now that these are settled. */
  settle(deliveryTags: readonly number[]): Ack[] {
    const fresh = new Set(deliveryTags);
    // The broker closes a channel that acknowledges something twice: the last of a run must be one of these.
    let last = 0;
    for (; ; this.first += 1) {
      if (fresh.delete(this.first)) last = this.first;
      else if (!this.ahead.delete(this.first)) break;
    }
    const acks: Ack[] = last === 0 ? [] : [{ deliveryTag: last, upTo: true }];
    for (const deliveryTag of fresh) {
      if (deliveryTag < this.first || this.ahead.has(deliveryTag)) continue;
      this.ahead.add(deliveryTag);
      acks.push({ deliveryTag, upTo: false });
    }
    return acks;
  }
}
