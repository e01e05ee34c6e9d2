/** RabbitMQ's limit for names and routing keys. */
export const MAX_NAME_BYTES = 255;

/** What belongs to the exchange, whoever consumes. */
export interface StreamNames {
  /** Topic exchange that everybody publishes to. */
  readonly exchange: string;
  /** Sorts out what carries the suffix of no partition. */
  readonly partitions: string;
  /** Where that goes. Its name tells how many partitions there are. */
  readonly foreign: string;
  /** Where other services send dead letters to. */
  readonly deadLetters: string;
  /** The stream that keeps everything. */
  readonly history: string;
  /** Keeps the names of the groups. */
  readonly groups: string;
  /** Exclusive while somebody reads them. */
  readonly groupsLock: string;
}

/** What belongs to one group. */
export interface GroupNames {
  /** One per partition. */
  readonly queues: readonly string[];
  /** One per partition. */
  readonly journals: readonly string[];
  readonly deadLetters: string;
  /** Exclusive while somebody reads the journals. */
  readonly journalsLock: string;
  /** Exclusive while somebody looks through the dead letters. */
  readonly deadLettersLock: string;
  /** Routing key of dead letters of other services. */
  readonly deadLetterKey: string;
  /** Exchange on which the processes of the group tell that they are there. */
  readonly members: string;
}

export function streamNames(exchange: string, partitions: number): StreamNames {
  return {
    exchange,
    partitions: `${exchange}.partitions`,
    foreign: `${exchange}.foreign.${partitions}`,
    deadLetters: `${exchange}_dlq`,
    history: `${exchange}_history`,
    groups: `${exchange}_groups`,
    groupsLock: `${exchange}_groups.lock`,
  };
}

export function groupNames(exchange: string, group: string, partitions: number): GroupNames {
  const base = `${exchange}.${escaped(group)}`;
  const numbers = Array.from({ length: partitions }, (_, partition) => partition);
  // eventsource-py has one queue per group, of this name.
  const queues = partitions === 1 ? [base] : numbers.map((partition) => `${base}.${partition}`);
  return {
    queues,
    journals: queues.map((queue) => `${queue}.journal`),
    journalsLock: `${base}.journals.lock`,
    deadLetters: `${base}.dlq`,
    deadLettersLock: `${base}.dlq.lock`,
    deadLetterKey: base,
    members: `${base}.members`,
  };
}

/** The longest name that a group has. */
export function longestName(exchange: string, group: string, partitions: number): string {
  const { journals, journalsLock } = groupNames(exchange, group, partitions);
  const journal = journals.at(-1) ?? '';
  return journal.length > journalsLock.length ? journal : journalsLock;
}

/** Tells where an event belongs: the type in front is for those who bind queues of their own. */
export function routingKey(aggregateType: string, eventType: string, partition: number): string {
  const suffix = `.p${partition}`;
  return shortened(`${aggregateType}.${eventType}`, MAX_NAME_BYTES - suffix.length) + suffix;
}

/** The partition that a routing key names. Where it names none of these, it is the first. */
export function partitionOfKey(key: string, partitions: number): number {
  const [, digits] = /(?:^|\.)p(0|[1-9]\d{0,3})$/.exec(key) ?? [];
  const partition = Number(digits ?? 0);
  return partition < partitions ? partition : 0;
}

/** What follows the name of a group must not be taken for a part of it. */
function escaped(group: string): string {
  return group.replaceAll('%', '%25').replaceAll('.', '%2E');
}

function shortened(text: string, maxBytes: number): string {
  let short = text.slice(0, maxBytes);
  while (Buffer.byteLength(short) > maxBytes) short = short.slice(0, -1);
  return short;
}
