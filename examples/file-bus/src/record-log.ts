import { appendFile, open, stat } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import type { InboundRecord, OutboundRecord } from '@omnibus/core/transport';
import { oneAtATime } from './one-at-a-time.js';

const READ_BYTES = 1 << 23;
/** Largest value of a record: its line must fit into one read. */
export const MAX_RECORD_BYTES: number = READ_BYTES / 4;
const NEWLINE = 10;

/** A record that knows where the next one begins. */
export type LoggedRecord = InboundRecord & { readonly next: number };

/**
 * Records as lines of one file. An append is one write to its end, so that those of several processes do not mix. It
 * begins with a line break: a line that a crash tore spoils no other, and it was never confirmed.
 */
export class RecordLog {
  private readonly lines: string[] = [];
  private readonly write = oneAtATime(() =>
    appendFile(this.path, `\n${this.lines.splice(0).join('\n')}\n`, { flush: true }),
  );

  constructor(private readonly path: string) {}

  /** Resolves when they are on the disk, in the order of the calls. */
  append(records: readonly OutboundRecord[]): Promise<void> {
    for (const { key, value, headers, timestampMs } of records)
      this.lines.push(serialize({ key, value, headers, timestampMs }).toString('base64'));
    return this.write();
  }

  /** Where the next record will be. */
  async end(): Promise<number> {
    return (await stat(this.path).catch(() => undefined))?.size ?? 0;
  }

  /** Some records from an offset on. `next` is where to go on: `from` itself at the end. */
  async read(from: number): Promise<{ readonly records: readonly LoggedRecord[]; readonly next: number }> {
    const bytes = Math.max(0, Math.min((await this.end()) - from, READ_BYTES));
    if (bytes === 0) return { records: [], next: from };
    const file = await open(this.path);
    const reading = file.read(Buffer.allocUnsafe(bytes), 0, bytes, from);
    const { buffer, bytesRead } = await reading.finally(() => file.close());
    const records: LoggedRecord[] = [];
    let start = 0;
    for (let end = 0; ; start = end + 1) {
      end = buffer.subarray(0, bytesRead).indexOf(NEWLINE, start);
      if (end < 0) return { records, next: from + start };
      const stored = storedIn(buffer.toString('latin1', start, end));
      if (stored)
        records.push({ ...stored, position: `${from + start}`, redelivered: false, next: from + end + 1 });
    }
  }

  /** All records from an offset on, in parts. */
  async *pages(from: number): AsyncIterable<readonly LoggedRecord[]> {
    for (let at = from, before = -1; at > before; ) {
      before = at;
      const { records, next } = await this.read(at);
      yield records;
      at = next;
    }
  }
}

/** Undefined for an empty line, and for a torn one. */
function storedIn(line: string): Omit<OutboundRecord, 'partition' | 'event'> | undefined {
  try {
    return line === '' ? undefined : deserialize(Buffer.from(line, 'base64'));
  } catch {
    return undefined;
  }
}
