import { randomUUID } from 'node:crypto';
import { BusError, type OutboundRecord, type SendResult } from '@omnibus/core/transport';
import { bufferOf, messageIdOf, propertiesOf, sizeOfHeaders } from './message.js';
import { routingKey } from './names.js';
import { MAX_HEADER_BYTES, type Publication, type Publisher } from './publisher.js';

/** What publishing events needs to know of the broker. */
export interface StreamPublisherHost {
  /** Whether any group has a queue. Rejects when that cannot be told. */
  hasGroups(): Promise<boolean>;
  /** Something that publishing or a group needs is gone. */
  topologyMissing(): void;
}

const NO_FAILURES: SendResult = { failures: [] };
/** The dead letter of an event has headers of its own beside those of the event. */
const ROOM_FOR_DEAD_LETTER_BYTES = 8_000;

/** Publishes events to the exchange. */
export class StreamPublisher {
  constructor(
    private readonly publisher: Publisher,
    private readonly exchange: string,
    private readonly host: StreamPublisherHost,
  ) {}

  /** Core repeats in order what failed with a retryable error. Never rejects. */
  async send(records: readonly OutboundRecord[]): Promise<SendResult> {
    const refused: { index: number; error: BusError }[] = [];
    const indexes: number[] = [];
    const messages: Publication[] = [];
    for (let index = 0; index < records.length; index += 1) {
      const message = this.messageOf(records[index] as OutboundRecord);
      const error = problemOf(message);
      if (error) refused.push({ index, error });
      else {
        messages.push(message);
        indexes.push(index);
      }
    }
    const { failures, unroutable } = await this.publisher.publish(messages);
    if (unroutable.length > 0) await this.judge(unroutable, failures);
    if (failures.size === 0 && refused.length === 0) return NO_FAILURES;
    const partitions = indexes.map((index) => (records[index] as OutboundRecord).partition);
    failBehind(partitions, failures);
    const failed = [...failures].map(([place, error]) => ({ index: indexes[place] as number, error }));
    if (failed.some(({ error }) => isTopologyTrouble(error))) this.host.topologyMissing();
    return { failures: [...refused, ...failed] };
  }

  private messageOf(record: OutboundRecord): Publication {
    const { event, partition, value } = record;
    return {
      exchange: this.exchange,
      routingKey: routingKey(event.aggregateType, event.eventType, partition),
      content: bufferOf(value),
      properties: propertiesOf(record, messageIdOf(record, randomUUID)),
    };
  }

  /**
   * Nobody's events, or somebody's whose queue is gone? An exchange that lives as long as the queues of any group tells.
   * Without groups there is nobody to lose anything.
   */
  private async judge(unroutable: readonly number[], failures: Map<number, BusError>): Promise<void> {
    let error: BusError;
    try {
      if (!(await this.host.hasGroups())) return;
      error = new BusError(
        'BROKER',
        `No queue took the event from ${this.exchange}, although groups exist: a queue or a binding was deleted; it is made anew when a process of its group runs`,
      );
    } catch (cause) {
      error = new BusError('BROKER', `No queue took the event from ${this.exchange}`, { cause });
    }
    for (const place of unroutable) failures.set(place, error);
    this.host.topologyMissing();
  }
}

/**
 * The broker may refuse or lose one event and take the next: what it took behind one that will be sent again is sent again
 * with it, so that the last word on a key is the last one that was published.
 */
function failBehind(partitions: readonly number[], failures: Map<number, BusError>): void {
  const broken = new Map<number, BusError>();
  for (const [place, partition] of partitions.entries()) {
    const error = failures.get(place);
    const cause = broken.get(partition);
    if (!cause) {
      if (error?.retryable) broken.set(partition, error);
    } else if (!error) {
      const reason = 'It is behind an event of its partition that was not taken, and is sent again with it';
      failures.set(place, new BusError('BROKER', reason, { cause }));
    }
  }
}

function problemOf({ properties }: Publication): BusError | undefined {
  const bytes = sizeOfHeaders(properties.headers as Record<string, unknown>);
  const most = MAX_HEADER_BYTES - ROOM_FOR_DEAD_LETTER_BYTES;
  return bytes <= most
    ? undefined
    : new BusError(
        'PAYLOAD_TOO_LARGE',
        `The headers take ${bytes} bytes; RabbitMQ's client takes ${most}: put them into the event's metadata`,
      );
}

/** 404: an exchange is gone. */
function isTopologyTrouble({ cause }: BusError): boolean {
  return (cause as { code?: unknown } | undefined)?.code === 404;
}
