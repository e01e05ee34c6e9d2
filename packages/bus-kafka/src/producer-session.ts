import type { WritableRecord } from './record-encoder.js';

const MAX_SEQUENCE = 2_147_483_647;
const MAX_EPOCH = 32_767;

/** Consecutive records of one partition that travel as one batch, and are stored as a whole or not at all. */
export interface Batch {
  readonly partition: number;
  /** Places of the records in the send. */
  readonly indexes: readonly number[];
  /** The records themselves: a repeated send is recognised by them, and is the same bytes again. */
  readonly records: readonly WritableRecord[];
}

/**
 * What the brokers know of this producer: its id, and the sequence number of the next record per partition. A broker
 * stores a batch that is sent again with the same numbers only once, but only when it is the very same batch. So a batch
 * whose fate is unknown is kept in mind, and is sent again unchanged before anything else of its partition.
 */
export class ProducerSession {
  private readonly next = new Map<number, number>();
  private readonly restarts = new Map<number, number>();
  private readonly unresolved = new Map<number, Batch>();

  /** Id `-1`: not idempotent. */
  constructor(
    readonly producerId: string,
    private readonly producerEpoch: number,
  ) {}

  get idempotent(): boolean {
    return this.producerId !== '-1';
  }

  /** The batch of this partition that may or may not be stored. */
  unresolvedOf(partition: number): Batch | undefined {
    return this.unresolved.get(partition);
  }

  /** Of two epochs the broker accepts only the newer one. */
  epochOf(partition: number): number {
    return this.producerEpoch + (this.restarts.get(partition) ?? 0);
  }

  /** Whether some partition is in its last epoch: another producer id is needed. */
  get isWornOut(): boolean {
    for (const partition of this.restarts.keys()) if (this.epochOf(partition) >= MAX_EPOCH) return true;
    return false;
  }

  sequenceOf(partition: number): number {
    return this.next.get(partition) ?? 0;
  }

  stored(batch: Batch): void {
    this.unresolved.delete(batch.partition);
    const { length } = batch.records;
    const sequence = this.sequenceOf(batch.partition);
    this.next.set(
      batch.partition,
      sequence > MAX_SEQUENCE - length ? length - (MAX_SEQUENCE - sequence) - 1 : sequence + length,
    );
  }

  /** Not stored, for certain. */
  refused(batch: Batch): void {
    this.unresolved.delete(batch.partition);
  }

  /**
   * Counts from 0 again, in a new epoch: nobody can tell which number comes next. What was sent before and has not arrived
   * yet never will.
   */
  restart(partition: number): void {
    this.unresolved.delete(partition);
    this.next.delete(partition);
    this.restarts.set(partition, (this.restarts.get(partition) ?? 0) + 1);
  }

  /** The answer was lost. */
  unknown(batch: Batch): void {
    if (this.idempotent) this.unresolved.set(batch.partition, batch);
  }
}
