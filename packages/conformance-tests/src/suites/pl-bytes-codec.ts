import { BusError, type DomainEvent, type EventCodec } from '@omnibus/core';

/** Says that a record is ours: bytes that are no UTF-8, so that nothing on the way may take it for text. */
const MAGIC = Buffer.from([0x01, 0xff]);
const LENGTH_BYTES = 4;

/** A codec whose payload is bytes: `data.bytes` as they are, behind the envelope as JSON. */
export const bytesCodec: EventCodec = {
  contentType: 'application/x-conformance-bytes',
  encode(event: DomainEvent): Uint8Array {
    const { data, ...envelope } = event;
    const bytes = data.bytes;
    if (!(bytes instanceof Uint8Array)) throw new BusError('SERIALIZATION', 'data.bytes must be bytes');
    const head = Buffer.from(JSON.stringify(envelope));
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(head.length);
    return Buffer.concat([MAGIC, length, head, bytes]);
  },
  decode(bytes: Uint8Array): DomainEvent {
    const all = Buffer.from(bytes);
    if (!all.subarray(0, MAGIC.length).equals(MAGIC))
      throw new BusError('DESERIALIZATION', 'these bytes are of another codec');
    const start = MAGIC.length + LENGTH_BYTES;
    const end = start + all.readUInt32BE(MAGIC.length);
    const envelope = JSON.parse(all.toString('utf8', start, end)) as Omit<DomainEvent, 'data'>;
    const content = new Uint8Array(all.subarray(end));
    return { ...envelope, occurredAt: new Date(envelope.occurredAt), data: { bytes: content } };
  },
};
