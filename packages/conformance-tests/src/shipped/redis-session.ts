import { importFromProject } from '../load-package.js';
import type { RawRecord, RawWrite } from '../subject.js';

/** The part of ioredis that the inspection uses. The kit depends on no client: this one is the project's own. */
export interface RedisClient {
  call(command: string, ...args: readonly (string | number | Buffer)[]): Promise<unknown>;
  callBuffer(command: string, ...args: readonly (string | number | Buffer)[]): Promise<unknown>;
  pipeline(): RedisPipeline;
  on(event: 'error', listener: (error: Error) => void): unknown;
  disconnect(): void;
}

/** Commands that are sent together. */
export interface RedisPipeline {
  xadd(...args: readonly (string | number | Buffer)[]): RedisPipeline;
  exec(): Promise<readonly (readonly [Error | null, unknown])[] | null>;
}

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

/** A client for what a test looks at or writes past the bus. */
export class RedisSession {
  private constructor(readonly client: RedisClient) {}

  static async open(url: string): Promise<RedisSession> {
    const { Redis } = (await importFromProject('ioredis')) as { Redis: new (url: string) => RedisClient };
    const client = new Redis(url);
    // While the server is down: the client connects again by itself.
    client.on('error', () => {});
    await client.call('ping');
    return new RedisSession(client);
  }

  async write(stream: string, { key, value, headers }: RawWrite): Promise<string> {
    const fields: (string | Buffer)[] = [];
    if (key !== undefined) fields.push('aggregate_id', key);
    for (const [name, text] of Object.entries(headers ?? {}))
      if (name !== 'aggregate_id' || key === undefined)
        fields.push(name, typeof text === 'string' ? text : Buffer.from(text));
    if (value !== null) fields.push('payload', Buffer.from(value));
    // An entry has at least one field.
    if (fields.length === 0) fields.push('nothing', '');
    return String(await this.client.call('xadd', stream, '*', ...fields));
  }

  /** Everything in a stream. */
  async read(stream: string, partition: number): Promise<readonly RawRecord[]> {
    const entries = (await this.client.callBuffer('xrange', stream, '-', '+')) as readonly Entry[];
    return entries.map(([id, fields]) => {
      const texts = new Map<string, Buffer>();
      for (let at = 0; at < fields.length; at += 2)
        texts.set(String(fields[at]), fields[at + 1] ?? Buffer.alloc(0));
      const value = texts.get('payload') ?? null;
      texts.delete('payload');
      const headers = Object.fromEntries([...texts].map(([name, text]) => [name, text.toString()]));
      return { partition, position: id.toString(), key: headers.aggregate_id, value, headers };
    });
  }

  /** What `XINFO` tells, as one object for each line. No stream, no lines. */
  async info(
    what: 'GROUPS' | 'CONSUMERS',
    ...args: readonly string[]
  ): Promise<readonly Record<string, unknown>[]> {
    const [stream = ''] = args;
    if ((await this.client.call('exists', stream)) === 0) return [];
    const lines = (await this.client.call('xinfo', what, ...args)) as readonly unknown[];
    return lines.map((line) =>
      Array.isArray(line)
        ? Object.fromEntries(line.flatMap((name, at) => (at % 2 === 0 ? [[String(name), line[at + 1]]] : [])))
        : (line as Record<string, unknown>),
    );
  }

  async keys(pattern: string): Promise<readonly string[]> {
    const found = new Set<string>();
    let cursor = '0';
    do {
      const [next, keys] = (await this.client.call('scan', cursor, 'MATCH', pattern, 'COUNT', 1_000)) as [
        string,
        readonly string[],
      ];
      for (const key of keys) found.add(key);
      cursor = next;
    } while (cursor !== '0');
    return [...found].sort();
  }

  close(): void {
    this.client.disconnect();
  }
}
