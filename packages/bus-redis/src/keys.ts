/** Names of everything that one bus has on the server. */
export class Keys {
  /** Partition 0, which is the predecessor's stream. */
  readonly stream: string;

  constructor(
    streamPrefix: string,
    /** Whether keys lie on different servers, so that those of one script must share a slot. */
    private readonly spread: boolean,
  ) {
    this.stream = `${streamPrefix}:stream`;
  }

  streamOf(partition: number): string {
    return partition === 0 ? this.stream : `${this.stream}:${partition}`;
  }

  /** How many partitions the stream was made with. */
  get partitions(): string {
    return this.beside(0, 'partitions');
  }

  /** Who owns the partition for the group, while it exists. */
  lease(partition: number, group: string): string {
    return this.beside(partition, 'lease', group);
  }

  /** What lets the owner with this token read: an empty stream that has the group. */
  pass(partition: number, group: string, token: string): string {
    return this.beside(partition, 'pass', group, token);
  }

  /** The name of the pass that counts. */
  admitted(partition: number, group: string): string {
    return this.beside(partition, 'admitted', group);
  }

  /** What the owner wrote down for whoever follows. */
  journal(partition: number, group: string): string {
    return this.beside(partition, 'journal', group);
  }

  /** Who consumes for the group, with the time until which each counts as alive. */
  members(partition: number, group: string): string {
    return this.beside(partition, 'members', group);
  }

  /** The number of the last record of a publisher. */
  publisher(partition: number, id: string): string {
    return this.beside(partition, 'publisher', id);
  }

  /** Where the dead letters of a partition go: to the predecessor's stream, unless they could lie on another server. */
  deadLettersOf(partition: number): string {
    return this.spread ? this.beside(partition, 'dlq') : `${this.stream}_dlq`;
  }

  /** In the slot of the partition's stream: its name is the hash tag. */
  private beside(partition: number, ...parts: readonly string[]): string {
    return [`{${this.streamOf(partition)}}`, ...parts].join(':');
  }
}
