import { BusError } from '../errors.js';
import type { MemoryMember } from './memory-member.js';
import { MemoryStream } from './memory-stream.js';

/** How a `MemoryBroker` is set up. */
export interface MemoryBrokerOptions {
  /** Partitions of every stream. From 1 to 1,024. @default 8 */
  readonly partitions?: number;
  /** Records that each partition keeps for replay beside those that some group has not settled yet. @default 10000 */
  readonly retainedRecords?: number;
}

/** What a transport registers to hear of the broker's outages. */
export interface MemoryConnection {
  down(): void;
  up(): void;
}

/**
 * A broker made of arrays, for tests and for programs of one process. Buses that are given the same broker share its
 * streams and groups like processes share a real one. It can fail on command, so that what depends on faults can be
 * tested without a real broker. It keeps events as long as it lives, across `stop` and `start`; not longer.
 */
export class MemoryBroker {
  readonly partitions: number;
  private readonly retainedRecords: number;
  private readonly streams = new Map<string, MemoryStream>();
  private readonly connections = new Set<MemoryConnection>();
  private running = true;
  private paused = false;
  private waiters: (() => void)[] = [];
  private sendsToRefuse = 0;
  private acksToLose = 0;
  private deadLettersRefused = false;

  constructor({ partitions = 8, retainedRecords = 10_000 }: MemoryBrokerOptions = {}) {
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > 1_024)
      throw new RangeError('partitions must be a whole number from 1 to 1024');
    if (!Number.isInteger(retainedRecords) || retainedRecords < 0)
      throw new RangeError('retainedRecords must be a whole number from 0 on');
    this.partitions = partitions;
    this.retainedRecords = retainedRecords;
  }

  /** How many buses are connected. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /** Whether it accepts connections (also while paused). */
  get isRunning(): boolean {
    return this.running;
  }

  /** Whether it answers. */
  get serving(): boolean {
    return this.running && !this.paused;
  }

  /** Stops answering, like a process that is stopped by a signal: calls wait, nobody is told. */
  pause(): void {
    this.paused = true;
  }

  /** Ends `pause`. */
  resume(): void {
    this.paused = false;
    this.wakeUp();
  }

  /** Goes down: connections break, events stay. */
  stop(): void {
    if (!this.running) return;
    this.running = false;
    for (const stream of this.streams.values()) for (const member of stream.members()) member.dropAll();
    for (const connection of this.connections) connection.down();
    this.wakeUp();
  }

  /** Comes back with everything it had. */
  async start(): Promise<void> {
    if (this.running) return;
    this.running = true;
    for (const connection of this.connections) connection.up();
    this.wakeUp();
    await Promise.all([...this.streams.values()].map((stream) => stream.change(() => undefined)));
  }

  /** Refuses the next `count` sends with a retryable error. */
  refuseSends(count: number): void {
    this.sendsToRefuse = count;
  }

  /** Refuses dead letters until told otherwise. */
  refuseDeadLetters(refused: boolean): void {
    this.deadLettersRefused = refused;
  }

  /** Loses the next `count` settlements on their way: those events are delivered again when the partition moves. */
  loseAcks(count: number): void {
    this.acksToLose = count;
  }

  /** The consumer dies without a word: its partitions go to others, its journals stay as they were. */
  async kill(consumerName: string): Promise<void> {
    await Promise.all(
      [...this.streams.values()].flatMap((stream) =>
        stream.groupNames.flatMap((group) =>
          named(stream.members(group), consumerName).map((member) =>
            stream.leave(group, member, () => member.dropAll()),
          ),
        ),
      ),
    );
  }

  /** The consumer's lease runs out while it hangs: others take over, and what it still settles is refused. */
  async freeze(consumerName: string): Promise<void> {
    await this.changeMember(consumerName, (member) => {
      member.frozen = true;
      member.fence();
    });
  }

  /** The frozen consumer wakes up, learns that it lost its partitions, and joins again. */
  async thaw(consumerName: string): Promise<void> {
    await this.changeMember(consumerName, (member) => {
      member.dropAll();
      member.frozen = false;
    });
  }

  /** Resolves when it answers; rejects with `CONNECTION_LOST` when it is down. */
  async served(): Promise<void> {
    while (this.running && this.paused) await new Promise<void>((resolve) => this.waiters.push(resolve));
    if (!this.running) throw new BusError('CONNECTION_LOST', 'The memory broker is stopped');
  }

  /** The stream of this name, created when it does not exist. */
  stream(name: string): MemoryStream {
    let stream = this.streams.get(name);
    if (!stream) {
      stream = new MemoryStream(this.partitions, this.retainedRecords);
      this.streams.set(name, stream);
    }
    return stream;
  }

  /** Forgets a stream with its groups and dead letters. Who uses it is told by an error, and makes it anew. */
  deleteStream(name: string): void {
    const stream = this.streams.get(name);
    this.streams.delete(name);
    for (const member of stream?.members() ?? []) member.removed();
  }

  /** Used by the transport. */
  connect(connection: MemoryConnection): () => void {
    this.connections.add(connection);
    return () => this.connections.delete(connection);
  }

  /** Used by the transport: whether this send is refused. */
  takeRefusal(): boolean {
    if (this.sendsToRefuse === 0) return false;
    this.sendsToRefuse -= 1;
    return true;
  }

  /** Used by the transport: how many of `count` settlements are lost. */
  takeLostAcks(count: number): number {
    const lost = Math.min(count, this.acksToLose);
    this.acksToLose -= lost;
    return lost;
  }

  /** Used by the transport: throws while dead letters are refused. */
  assertTakesDeadLetters(): void {
    if (this.deadLettersRefused) throw new BusError('BROKER', 'The memory broker refuses dead letters');
  }

  private async changeMember(consumerName: string, apply: (member: MemoryMember) => void): Promise<void> {
    await Promise.all(
      [...this.streams.values()].map((stream) =>
        stream.change(() => named(stream.members(), consumerName).forEach(apply)),
      ),
    );
  }

  private wakeUp(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const wake of waiters) wake();
    if (!this.serving) return;
    for (const stream of this.streams.values()) for (const member of stream.members()) member.wake();
  }
}

function named(members: readonly MemoryMember[], consumerName: string): MemoryMember[] {
  return members.filter((member) => member.name === consumerName);
}
