import type { RawSession } from '../subject.js';
import { RedisSession } from './redis-session.js';

const GROUP = 'raw';
type Reply = readonly (readonly [string, readonly (readonly [string, readonly string[]])[]])[] | null;

/** A producer and a consumer on ioredis alone, as one would write them by hand. */
export async function rawRedis(
  url: string,
  namespace: string,
  onRecord: (body: unknown) => void,
): Promise<RawSession> {
  const stream = `${namespace}:stream`;
  const [producer, consumer] = await Promise.all([RedisSession.open(url), RedisSession.open(url)]);
  await consumer.client.call('xgroup', 'CREATE', stream, GROUP, '$', 'MKSTREAM');
  let closed = false;
  const consuming = (async () => {
    while (!closed) {
      const reply = (await consumer.client.call(
        ...([
          'xreadgroup',
          'GROUP',
          GROUP,
          'c',
          'COUNT',
          1_000,
          'BLOCK',
          100,
          'STREAMS',
          stream,
          '>',
        ] as const),
      )) as Reply;
      const entries = reply?.[0]?.[1] ?? [];
      for (const [, fields] of entries) onRecord(JSON.parse(fields[fields.indexOf('payload') + 1] ?? 'null'));
      if (entries.length > 0) await consumer.client.call('xack', stream, GROUP, ...entries.map(([id]) => id));
    }
  })();
  return {
    publish: async (records) => {
      const pipeline = producer.client.pipeline();
      for (const { key, value } of records) pipeline.xadd(stream, '*', 'aggregate_id', key, 'payload', value);
      for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
    },
    close: async () => {
      closed = true;
      await consuming;
      producer.close();
      consumer.close();
    },
  };
}
