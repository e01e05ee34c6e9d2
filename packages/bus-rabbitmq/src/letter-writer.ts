import { randomUUID } from 'node:crypto';
import { BusError, type OutboundRecord, quoted } from '@omnibus/core/transport';
import { bufferOf, messageIdOf, type PublishProperties, propertiesOf, shrinkHeaders } from './message.js';
import { MAX_HEADER_BYTES, type Publisher } from './publisher.js';

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
    const properties = propertiesOf(letter, `${letter.timestampMs}-${randomUUID()}`);
    const headers = properties.headers as Record<string, unknown>;
    // Better a dead letter without a header than none: it could never be written.
    const leftOut = shrinkHeaders(headers, MAX_HEADER_BYTES, (name) => name.startsWith(REPORT));
    if (leftOut.length > 0)
      this.warn(
        `A dead letter in ${queue} lacks ${leftOut.length} headers, which are too long together, ${quoted(leftOut[0] ?? '')} among them`,
      );
    await this.write(queue, bufferOf(letter.value), properties);
  }

  /** Gives a dead letter back to a group: into the queue of its partition. */
  async writeReplay(queue: string, record: OutboundRecord): Promise<void> {
    const properties = propertiesOf(record, messageIdOf(record, randomUUID));
    await this.write(queue, bufferOf(record.value), properties);
  }

  /** The last one of a queue counts. */
  async writeJournal(queue: string, journal: string): Promise<void> {
    const properties = { messageId: randomUUID(), persistent: true, mandatory: true };
    await this.write(queue, Buffer.from(journal), properties);
  }

  /** The name of a group, for those who look for all groups. */
  async writeGroup(queue: string, group: string): Promise<void> {
    const properties = { messageId: randomUUID(), persistent: true, mandatory: true };
    await this.write(queue, Buffer.from(group), properties);
  }

  /** A message that says where the end of the history was when it was written. */
  async writeMarker(queue: string, id: string, type: string): Promise<void> {
    const properties = { messageId: id, type, persistent: true, mandatory: true };
    await this.write(queue, Buffer.alloc(0), properties);
  }

  private async write(queue: string, content: Buffer, properties: PublishProperties): Promise<void> {
    const { failures, unroutable } = await this.publisher.publish([
      { exchange: DEFAULT_EXCHANGE, routingKey: queue, content, properties },
    ]);
    const error = failures.get(0);
    if (error) throw error;
    if (unroutable.length === 0) return;
    this.queueMissing();
    throw new BusError(
      'BROKER',
      `The queue ${queue} does not exist; it is made anew when a process of its group runs`,
    );
  }
}
