import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A message that eventsource-py wrote: its body, and its headers where the broker has them. */
export interface RecordedMessage {
  readonly name: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly key: string;
}

interface Recording {
  readonly kafka: Readonly<
    Record<
      'stream' | 'dlq',
      readonly {
        readonly key: string;
        readonly headers: readonly (readonly [string, string])[];
        readonly value: string;
      }[]
    >
  >;
  readonly redis: Readonly<Record<string, readonly (readonly [string, Readonly<Record<string, string>>])[]>>;
  readonly rabbitmq: Readonly<
    Record<
      'stream' | 'dlq',
      readonly { readonly headers: Readonly<Record<string, string | number>>; readonly body: string }[]
    >
  >;
}

const recording = JSON.parse(
  readFileSync(join(__dirname, 'fixtures', 'eventsource-py-0.15.1.json'), 'utf8'),
) as Recording;

/** All messages of the recording whose name starts with `prefix`: `kafka/stream`, `redis/events:stream_dlq`, … */
export function recorded(prefix = ''): readonly RecordedMessage[] {
  return [...kafka(), ...redis(), ...rabbitmq()].filter(({ name }) => name.startsWith(prefix));
}

function kafka(): RecordedMessage[] {
  return Object.entries(recording.kafka).flatMap(([where, messages]) =>
    messages.map(({ key, headers, value }, index) => ({
      name: `kafka/${where}/${index}`,
      key,
      body: value,
      headers: Object.fromEntries(headers),
    })),
  );
}

function redis(): RecordedMessage[] {
  return Object.entries(recording.redis).flatMap(([stream, entries]) =>
    entries.map(([, { payload = '', ...headers }], index) => ({
      name: `redis/${stream}/${index}`,
      key: headers.aggregate_id ?? '',
      body: payload,
      headers,
    })),
  );
}

function rabbitmq(): RecordedMessage[] {
  return Object.entries(recording.rabbitmq).flatMap(([where, messages]) =>
    messages.map(({ headers, body }, index) => ({
      name: `rabbitmq/${where}/${index}`,
      key: String(headers.aggregate_id),
      body,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    })),
  );
}
