import { BusError } from '../../src/errors.js';
import type {
  Capabilities,
  ConsumeSpec,
  Consumption,
  DeadLetterStore,
  DeliverySink,
  OutboundRecord,
  PartitionLag,
  SendResult,
  Transport,
  TransportEvents,
  TransportLimits,
} from '../../src/transport.js';
import { Member } from './member.js';
import type { Life } from './time.js';
import type { Wire } from './wire.js';
import type { World } from './world.js';

/** An adapter for the simulated broker, in one life of one process. */
export class SimulatedTransport implements Transport {
  readonly name = 'simulated';
  readonly destination = 'events';
  readonly capabilities: Capabilities = { durable: true, history: 'none', competing: true };
  readonly limits: TransportLimits = {
    maxRecordBytes: 10_000,
    maxRecordsPerPartition: 3,
    maxBytesPerPartition: 100_000,
  };
  events: TransportEvents | undefined;
  private readonly members: Member[] = [];

  constructor(
    private readonly world: World,
    readonly life: Life,
    readonly wire: Wire,
  ) {}

  get partitions(): number {
    return this.world.broker.partitions;
  }

  get member(): Member | undefined {
    return this.members.at(-1);
  }

  get deadLetters(): DeadLetterStore {
    throw new BusError('UNSUPPORTED', 'The simulation looks at dead letters itself');
  }

  async open(events: TransportEvents): Promise<void> {
    await this.wire.request(() => undefined);
    this.events = events;
  }

  async send(records: readonly OutboundRecord[]): Promise<SendResult> {
    try {
      return { failures: await this.wire.request(() => this.append(records)) };
    } catch (error) {
      return { failures: records.map((_, index) => ({ index, error: error as BusError })) };
    }
  }

  async ensureGroup(): Promise<void> {
    await this.wire.request(() => undefined);
  }

  async consume(spec: ConsumeSpec, sink: DeliverySink): Promise<Consumption> {
    const coordinator = this.world.coordinatorOf(spec.group.name);
    const events = this.events as TransportEvents;
    const member = new Member(
      this.world,
      coordinator,
      this.life,
      this.wire,
      sink,
      events,
      spec.handOverTimeoutMs,
    );
    this.members.push(member);
    try {
      await this.wire.request(() => {
        if (!this.life.ended) coordinator.join(member);
      });
    } catch (error) {
      await member.stop(0);
      throw error;
    }
    return { stop: (timeoutMs) => member.stop(timeoutMs) };
  }

  async lag(): Promise<readonly PartitionLag[]> {
    return [];
  }

  async ping(): Promise<void> {
    await this.wire.request(() => undefined);
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop(0)));
  }

  /** In trouble the broker takes only a part of each partition's records. */
  private append(records: readonly OutboundRecord[]): { readonly index: number; readonly error: BusError }[] {
    const { random } = this.world;
    const isPartial = this.wire.trouble !== undefined && random.oneIn(4);
    const refused = new Set<number>();
    const failures: { readonly index: number; readonly error: BusError }[] = [];
    records.forEach((record, index) => {
      if (isPartial && random.oneIn(3)) refused.add(record.partition);
      if (refused.has(record.partition)) {
        failures.push({ index, error: new BusError('BROKER', 'The partition has no leader') });
        return;
      }
      this.world.broker.append(record, record.event.eventId);
    });
    return failures;
  }
}
