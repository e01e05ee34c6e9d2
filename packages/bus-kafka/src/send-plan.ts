import type { Batch, ProducerSession } from './producer-session.js';
import type { WritableRecord } from './record-encoder.js';

/** What is to be sent, per partition: batches that follow each other. */
export type SendPlan = Map<number, Batch[]>;

/** Groups by partition. What is of unknown fate comes first, as it was. */
export function planSend(records: readonly WritableRecord[], session: ProducerSession): SendPlan {
  const byPartition = new Map<number, { readonly indexes: number[]; readonly records: WritableRecord[] }>();
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index] as WritableRecord;
    let group = byPartition.get(record.partition);
    if (!group) {
      group = { indexes: [], records: [] };
      byPartition.set(record.partition, group);
    }
    group.indexes.push(index);
    group.records.push(record);
  }
  const plan: SendPlan = new Map();
  for (const [partition, group] of byPartition) {
    plan.set(
      partition,
      inTwo({ partition, ...group }, repeatedIn(group.records, session.unresolvedOf(partition))),
    );
  }
  return plan;
}

/** Partitions in which the sender gave up on something of unknown fate, and sends something else now. */
export function overtaken(plan: SendPlan, session: ProducerSession): number[] {
  const partitions: number[] = [];
  for (const [partition, [first]] of plan) {
    const unresolved = session.unresolvedOf(partition);
    if (unresolved && repeatedIn(first?.records ?? [], unresolved) === 0) partitions.push(partition);
  }
  return partitions;
}

/** A batch that is too large for the broker, in two. */
export function halves(batch: Batch): Batch[] {
  return inTwo(batch, Math.ceil(batch.records.length / 2));
}

/** How many records of the batch of unknown fate are repeated: all of them at the beginning, or it is no repetition. */
function repeatedIn(records: readonly WritableRecord[], unresolved: Batch | undefined): number {
  return unresolved?.records.every((record, i) => record === records[i]) ? unresolved.records.length : 0;
}

function inTwo({ partition, indexes, records }: Batch, at: number): Batch[] {
  const part = (from: number, to: number): Batch => ({
    partition,
    indexes: indexes.slice(from, to),
    records: records.slice(from, to),
  });
  if (at === 0 || at === records.length) return [{ partition, indexes, records }];
  return [part(0, at), part(at, records.length)];
}
