import type { Commands } from './client.js';
import type { RawEntry } from './entry.js';
import { errorWord } from './errors.js';

/** What is read of one stream. */
export interface StreamRead {
  readonly stream: string;
  /** Without it nothing is read, of no stream. */
  readonly pass: string;
  /** Pending entries behind this position, or `>` for new ones. */
  readonly behind: string;
}

/** Who reads, and how much of each stream. */
export interface ReadTerms {
  readonly group: string;
  readonly consumerName: string;
  readonly count: number;
}

/** The server refused a read, because this key is gone, or its group. */
export class KeyMissing {
  constructor(
    readonly kind: 'pass' | 'stream',
    /** Which of the reads. */
    readonly index: number,
  ) {}
}

/** For each read its entries, in its order. */
export type StreamEntries = readonly (readonly RawEntry[])[];

type StreamReply = readonly [name: Buffer, entries: readonly RawEntry[]];
/** With RESP3 an object, if the client is set to give it as it comes. */
type Reply = readonly StreamReply[] | Readonly<Record<string, readonly RawEntry[]>> | null;

/**
 * Reads for a group as long as the caller owns all that it reads, in one step of the server. An `XREADGROUP` is refused as
 * a whole when one of its streams lacks the group, before it gives any entry away; the pass of an owner is such a stream.
 * Entries that went through a script would take the server three times as long.
 */
export async function readFenced(
  commands: Commands,
  reads: readonly StreamRead[],
  { group, consumerName, count }: ReadTerms,
): Promise<StreamEntries | KeyMissing> {
  try {
    const reply = (await commands.callBuffer(
      'xreadgroup',
      'GROUP',
      group,
      consumerName,
      'COUNT',
      count,
      'STREAMS',
      ...reads.map(({ pass }) => pass),
      ...reads.map(({ stream }) => stream),
      ...reads.map(() => '>'),
      ...reads.map(({ behind }) => behind),
    )) as Reply;
    return entriesOf(reply, reads);
  } catch (error) {
    const missing = errorWord(error) === 'NOGROUP' && missingKey(String(error), reads);
    if (!missing) throw error;
    return missing;
  }
}

/** In the order of the reads. A client may put something before the names of all keys. */
function entriesOf(reply: Reply, reads: readonly StreamRead[]): StreamEntries {
  if (reply === null) return reads.map(() => []);
  const answered: (readonly [string, readonly RawEntry[]])[] = Array.isArray(reply)
    ? (reply as readonly StreamReply[]).map(([name, entries]) => [name.toString(), entries])
    : Object.entries(reply);
  return reads.map(({ stream }) => answered.find(([name]) => name.endsWith(stream))?.[1] ?? []);
}

function missingKey(message: string, reads: readonly StreamRead[]): KeyMissing | undefined {
  for (const [index, { pass, stream }] of reads.entries()) {
    if (message.includes(`${pass}'`)) return new KeyMissing('pass', index);
    if (message.includes(`${stream}'`)) return new KeyMissing('stream', index);
  }
  return undefined;
}
