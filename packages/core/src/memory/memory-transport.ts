import { BusError, busErrorOf } from '../errors.js';
import type {
  Capabilities,
  ConsumeSpec,
  Consumption,
  DeadLetterStore,
  DeliverySink,
  GroupSpec,
  HistoryQuery,
  HistoryReader,
  OutboundRecord,
  PartitionLag,
  SendResult,
  StoredDeadLetter,
  Transport,
  TransportEvents,
  TransportLimits,
} from '../transport.js';
import type { MemoryBroker } from './memory-broker.js';
import { readHistory } from './memory-history.js';
import { type MemberHost, MemoryMember } from './memory-member.js';
import type { MemoryStream } from './memory-stream.js';

/** The transport on a `MemoryBroker`. */
export class MemoryTransport implements Transport, MemberHost {
  readonly name = 'memory';
  readonly capabilities: Capabilities = { durable: true, history: 'time', competing: true };
  readonly limits: TransportLimits = {
    maxRecordBytes: Number.MAX_SAFE_INTEGER,
    maxRecordsPerPartition: 1_000,
    maxBytesPerPartition: Number.MAX_SAFE_INTEGER,
  };
  readonly deadLetters: DeadLetterStore = {
    read: (query) => this.readDeadLetters(query),
    replay: (letter, _group, record) => this.replayDeadLetter(letter, record),
    remove: async (letters) => {
      await this.broker.served();
      return this.stream.removeDeadLetters(new Set(letters.map(({ id }) => id)));
    },
  };
  readonly history: HistoryReader = {
    open: async (query: HistoryQuery) => {
      await this.broker.served();
      return readHistory(this.stream.logs, query);
    },
  };
  private events: TransportEvents | undefined;
  private disconnect: (() => void) | undefined;
  private readonly consumptions = new Set<Consumption>();
  private closed = false;

  constructor(
    private readonly broker: MemoryBroker,
    readonly destination: string,
  ) {}

  get partitions(): number {
    return this.broker.partitions;
  }

  get serving(): boolean {
    return this.broker.serving;
  }

  private get stream(): MemoryStream {
    return this.broker.stream(this.destination);
  }

  async open(events: TransportEvents): Promise<void> {
    if (!this.broker.isRunning) throw new BusError('CONNECT', 'The memory broker is stopped: start it');
    this.events = events;
    this.disconnect ??= this.broker.connect({
      down: () => events.disconnected(new BusError('CONNECTION_LOST', 'The memory broker was stopped')),
      up: () => events.reconnected(),
    });
  }

  async send(records: readonly OutboundRecord[]): Promise<SendResult> {
    try {
      await this.broker.served();
      if (this.broker.takeRefusal()) throw new BusError('BROKER', 'The memory broker refused the send');
    } catch (cause) {
      const error = busErrorOf(cause, 'send');
      return { failures: records.map((_, index) => ({ index, error })) };
    }
    for (const record of records) this.stream.append(record);
    this.stream.trim();
    return { failures: [] };
  }

  async ensureGroup(group: GroupSpec): Promise<void> {
    await this.broker.served();
    this.stream.ensureGroup(group.name, group.startFrom);
  }

  async consume(spec: ConsumeSpec, sink: DeliverySink): Promise<Consumption> {
    await this.broker.served();
    const events = this.events;
    if (!events || this.closed) throw new BusError('BUS_CLOSED', 'The memory transport is not open');
    const { group: wanted, consumerName, handOverTimeoutMs } = spec;
    const rejoin = (): void => {
      if (stopping) return;
      const told = `The stream ${this.destination} was removed from the memory broker: it is made anew`;
      events.error(new BusError('BROKER', told));
      join().catch((error: unknown) => events.error(busErrorOf(error, 'join again')));
    };
    const join = (): Promise<void> => {
      const group = this.stream.ensureGroup(wanted.name, wanted.startFrom);
      member = new MemoryMember(consumerName, group, sink, events, this, handOverTimeoutMs, rejoin);
      return this.stream.join(wanted.name, member);
    };
    let member: MemoryMember;
    let stopping: Promise<void> | undefined;
    await join();
    const consumption: Consumption = {
      stop: (timeoutMs) => {
        stopping ??= this.stream
          .leave(wanted.name, member, () => member.handOver(member.partitions, timeoutMs))
          .then(() => {
            this.consumptions.delete(consumption);
            if (wanted.ephemeral && this.stream.members(wanted.name).length === 0)
              this.stream.removeGroup(wanted.name);
          });
        return stopping;
      },
    };
    this.consumptions.add(consumption);
    return consumption;
  }

  async lag(group: string): Promise<readonly PartitionLag[]> {
    await this.broker.served();
    return (
      this.stream.group(group)?.lag() ??
      this.stream.logs.map((log, partition) => ({ partition, lag: log.end - log.start }))
    );
  }

  async ping(): Promise<void> {
    await this.broker.served();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.consumptions].map((consumption) => consumption.stop(0)));
    this.disconnect?.();
  }

  served(): Promise<void> {
    return this.broker.served();
  }

  async deadLetter(letter: OutboundRecord): Promise<void> {
    await this.broker.served();
    this.broker.assertTakesDeadLetters();
    this.stream.addDeadLetter(letter);
  }

  losesAcks(count: number): number {
    return this.broker.takeLostAcks(count);
  }

  settled(): void {
    this.stream.trim();
  }

  private async *readDeadLetters({
    after,
    pageSize,
  }: Parameters<DeadLetterStore['read']>[0]): AsyncIterable<readonly StoredDeadLetter[]> {
    await this.broker.served();
    const letters = this.stream.deadLettersAfter(after);
    for (let from = 0; from < letters.length; from += pageSize) yield letters.slice(from, from + pageSize);
  }

  private async replayDeadLetter(letter: StoredDeadLetter, record: OutboundRecord): Promise<boolean> {
    await this.broker.served();
    if (this.stream.removeDeadLetters(new Set([letter.id])) === 0) return false;
    this.stream.append(record);
    return true;
  }
}
