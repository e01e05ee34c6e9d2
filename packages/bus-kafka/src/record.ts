import type { HeaderValue, InboundHeaders, InboundRecord, OutboundRecord } from '@omnibus/core/transport';
import type { FetchedMessage, KafkaMessage } from './protocol.js';

/** A record as kafkajs encodes it. */
export function toMessage({ key, value, headers, timestampMs }: OutboundRecord): KafkaMessage {
  return {
    key: key ?? null,
    value: bufferOf(value),
    headers: outboundHeaders(headers),
    timestamp: timestampMs,
  };
}

/** A record as core reads it. */
export function fromMessage({ key, value, headers, offset, timestamp }: FetchedMessage): InboundRecord {
  return {
    key: key === null ? undefined : key.toString('utf8'),
    value,
    headers: inboundHeaders(headers),
    position: offset,
    timestampMs: Number(timestamp),
    // Kafka does not count deliveries; the journal does.
    redelivered: false,
  };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isEncodable(value: HeaderValue): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value);
}

/** kafkajs cannot encode a missing value, nor bytes that are no `Buffer`. */
function outboundHeaders(headers: Readonly<Record<string, HeaderValue>>): KafkaMessage['headers'] {
  for (const name in headers) if (!isEncodable(headers[name])) return encodable(headers);
  return headers as KafkaMessage['headers'];
}

function encodable(headers: Readonly<Record<string, HeaderValue>>): KafkaMessage['headers'] {
  const clean: Record<string, Buffer | string | (Buffer | string)[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') clean[name] = value;
    else if (value instanceof Uint8Array) clean[name] = bufferOf(value);
    else if (value !== undefined && value !== null)
      clean[name] = value.map((each) => (typeof each === 'string' ? each : bufferOf(each)));
  }
  return clean;
}

/** Foreign records may have null values, and kafkajs mixes up names such as `constructor` with what every object has. */
function inboundHeaders(headers: Record<string, unknown>): InboundHeaders {
  for (const name in headers) if (!Buffer.isBuffer(headers[name])) return readable(headers);
  return headers as InboundHeaders;
}

function readable(headers: Record<string, unknown>): InboundHeaders {
  const clean: Record<string, HeaderValue> = Object.create(null) as Record<string, HeaderValue>;
  for (const [name, value] of Object.entries(headers)) {
    const values = (Array.isArray(value) ? value : [value]).filter((each): each is Buffer =>
      Buffer.isBuffer(each),
    );
    clean[name] = values.length > 1 ? values : values[0];
  }
  return clean;
}
