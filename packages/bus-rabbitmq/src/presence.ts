import { delay, Elapsed } from '@omnibus/core/transport';
import type { ChannelModel, Message } from 'amqplib';

/** What a member tells the others about a partition. */
export interface PartitionReport {
  /** Its queue is consumed, or waited for. */
  readonly subscribed: boolean;
  /** Delivered and not acknowledged. */
  readonly held: number;
}

/** What the presence of a member is told with, and whom it tells. */
export interface PresenceHost {
  /** One per partition. */
  report(): readonly PartitionReport[];
  /** Sends to all members. May be lost; then the next one counts. */
  announce(message: PresenceMessage): void;
  /** Somebody came, left, or reported something new. */
  changed(): void;
}

/** What travels between members. */
export interface PresenceMessage {
  /** `ask` is for those who are no members. */
  readonly kind: 'hello' | 'here' | 'bye' | 'ask';
  readonly member: string;
  readonly report: readonly PartitionReport[];
}

interface Known {
  readonly seen: Elapsed;
  report: readonly PartitionReport[];
}

/** A member that is not heard of for this many intervals is gone. */
const MISSED_INTERVALS = 3.5;
/** How long the answers to a greeting may take. */
const ANSWERS_MS = 100;
const GREETING_MS = 1_000;

/** Who else is in the group: every member tells the others regularly that it is there. */
export class Presence {
  private readonly others = new Map<string, Known>();
  private readonly sinceTick = new Elapsed();
  private timer: NodeJS.Timeout | undefined;
  private greeted: () => void = () => undefined;
  private isUp = false;

  constructor(
    /** This one. */
    readonly self: string,
    private readonly intervalMs: number,
    private readonly host: PresenceHost,
  ) {}

  /** All members, in one order for all of them. */
  get members(): string[] {
    return [this.self, ...this.others.keys()].sort();
  }

  reportOf(member: string, partition: number): PartitionReport | undefined {
    return this.others.get(member)?.report[partition];
  }

  /** Delivered to the other members and not acknowledged, as far as they told. */
  heldByOthers(partition: number): number {
    let held = 0;
    for (const { report } of this.others.values()) held += report[partition]?.held ?? 0;
    return held;
  }

  /** Listens on a connection. */
  async listen(model: ChannelModel, exchange: string): Promise<void> {
    const channel = await model.createChannel();
    // The connection tells of its end, and a deleted exchange ends this channel alone.
    channel.on('error', () => undefined);
    await channel.assertExchange(exchange, 'fanout', { durable: true, autoDelete: true });
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
    await channel.bindQueue(queue, exchange, '');
    await channel.consume(queue, (message) => message && this.heard(message), { noAck: true });
    this.isUp = true;
    this.refreshOthers();
    this.sinceTick.reset();
    this.timer ??= setInterval(() => this.tick(), this.intervalMs);
  }

  /** Resolves when the others had the time to answer. */
  async greet(): Promise<void> {
    const greeted = new Promise<void>((resolve) => {
      this.greeted = resolve;
    });
    this.tell('hello');
    // Where publishers are held back nobody is heard: then everybody waits for every partition, and the broker decides.
    const waiting = new AbortController();
    await Promise.race([greeted.then(() => delay(ANSWERS_MS)), delay(GREETING_MS, waiting.signal)]);
    waiting.abort();
  }

  /** No connection: who is silent now may be there all the same. */
  deaf(): void {
    this.isUp = false;
  }

  tell(kind: PresenceMessage['kind']): void {
    // A member that cannot consume attracts no partition.
    if (this.isUp) this.host.announce({ kind, member: this.self, report: this.host.report() });
  }

  close(): void {
    clearInterval(this.timer);
    this.tell('bye');
    this.isUp = false;
  }

  private heard(message: Message): void {
    const { kind, member, report } = presenceOf(message);
    if (kind === 'ask') {
      this.tell('here');
      return;
    }
    if (member === this.self) {
      if (kind === 'hello') this.greeted();
      return;
    }
    if (kind === 'bye') {
      if (this.others.delete(member)) this.host.changed();
      return;
    }
    const known = this.others.get(member) ?? { seen: new Elapsed(), report };
    known.seen.reset();
    known.report = report;
    this.others.set(member, known);
    if (kind === 'hello') this.tell('here');
    this.host.changed();
  }

  private tick(): void {
    const lateMs = this.sinceTick.ms - this.intervalMs;
    this.sinceTick.reset();
    // We did not listen: that others were silent says nothing.
    if (lateMs > this.intervalMs) this.refreshOthers();
    this.tell('here');
    if (!this.isUp) return;
    let changed = false;
    for (const [member, { seen }] of this.others) {
      if (seen.ms <= this.intervalMs * MISSED_INTERVALS) continue;
      this.others.delete(member);
      changed = true;
    }
    if (changed) this.host.changed();
  }

  private refreshOthers(): void {
    for (const { seen } of this.others.values()) seen.reset();
  }
}

/** The message's headers. Short: one digit says whether a partition is subscribed to, a list how much is held. */
export function presenceHeaders({ member, report }: PresenceMessage): Record<string, unknown> {
  return {
    member,
    subscribed: report.map(({ subscribed }) => (subscribed ? '1' : '0')).join(''),
    held: report.map(({ held }) => held).join(','),
  };
}

/** What a message of a member says. */
export function presenceOf({ properties }: Message): PresenceMessage {
  const { member, subscribed, held } = properties.headers ?? {};
  const counts = String(held).split(',');
  const kind: unknown = properties.type;
  return {
    kind: kind === 'hello' || kind === 'bye' || kind === 'ask' ? kind : 'here',
    member: String(member),
    report: [...String(subscribed)].map((digit, partition) => ({
      subscribed: digit === '1',
      held: Number(counts[partition]) || 0,
    })),
  };
}
