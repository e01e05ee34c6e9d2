import { randomUUID } from 'node:crypto';
import { BusError, type OutboundRecord } from '@omnibus/core/transport';
import { bufferOf, propertiesOf, shrinkHeaders } from './message.js';
import { MAX_HEADER_BYTES, type Publication, type Publisher } from './publisher.js';

const DEFAULT_EXCHANGE = '';
const REPORT = 'dlq_';

/** Writes single messages straight into queues: dead letters, journals, replays. */
export class LetterWriter {
  constructor(
    private readonly publisher: Publisher,
    private readonly warn: (message: string) => void,
    private readonly queueMissing: () => void,
  ) {}

  /** Resolves when the dead letter is stored. Its message has an id of its own: an event may fail more than once. */
  async writeDeadLetter(queue: string, letter: OutboundRecord): Promise<void> {
    const messageId = `${letter.timestampMs}-${randomUUID()}`;
    const properties = { ...propertiesOf(letter, messageId), messageId };
    const headers = properties.headers as Record<string, unknown>;
    // Better a dead letter without a header than none: it could never be written.
    const leftOut = shrinkHeaders(headers, MAX_HEADER_BYTES, (name) => name.startsWith(REPORT));
    if (leftOut.length > 0)
      this.warn(
        `A dead letter in ${queue} lacks the headers ${leftOut.join(', ')}: they are too long together`,
      );
    await this.write({
      exchange: DEFAULT_EXCHANGE,
      routingKey: queue,
      content: bufferOf(letter.value),
      properties,
    });
  }

  /** Gives a dead letter back to a group: into the queue of its partition. */
  async writeReplay(queue: string, record: OutboundRecord): Promise<void> {
    const messageId = record.event.eventId === '' ? randomUUID() : record.event.eventId;
    const properties = { ...propertiesOf(record, messageId), messageId };
    await this.write({
      exchange: DEFAULT_EXCHANGE,
      routingKey: queue,
      content: bufferOf(record.value),
      properties,
    });
  }

  /** The last one of a queue counts. */
  async writeJournal(queue: string, journal: string): Promise<void> {
    const properties = { messageId: randomUUID(), persistent: true, mandatory: true };
    await this.write({
      exchange: DEFAULT_EXCHANGE,
      routingKey: queue,
      content: Buffer.from(journal),
      properties,
    });
  }

  /** The name of a group, for those who look for all groups. */
  async writeGroup(queue: string, group: string): Promise<void> {
    const properties = { messageId: randomUUID(), persistent: true, mandatory: true };
    await this.write({
      exchange: DEFAULT_EXCHANGE,
      routingKey: queue,
      content: Buffer.from(group),
      properties,
    });
  }

  /** A message that says where the end of the history was when it was written. */
  async writeMarker(queue: string, id: string, type: string): Promise<void> {
    const properties = { messageId: id, type, persistent: true, mandatory: true };
    await this.write({ exchange: DEFAULT_EXCHANGE, routingKey: queue, content: Buffer.alloc(0), properties });
  }

  private async write(message: Publication): Promise<void> {
    const { failures, unroutable } = await this.publisher.publish([message]);
    const error = failures.get(0);
    if (error) throw error;
    if (unroutable.length === 0) return;
    this.queueMissing();
    throw new BusError(
      'BROKER',
      `The queue ${message.routingKey} does not exist; it is made anew when a process of its group runs`,
    );
  }
}
