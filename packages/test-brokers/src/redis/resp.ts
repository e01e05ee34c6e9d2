/** A reply of Redis (RESP 2). */
export type RedisReply = string | number | null | readonly RedisReply[];

/** An error that the server answered with, such as `NOAUTH Authentication required.` */
export class RedisReplyError extends Error {}

/** A command as the server takes it. */
export function encodeCommand(command: readonly string[]): string {
  const words = command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${command.length}\r\n${words.join('')}`;
}

/** A reply and where the next one begins. */
interface Decoded {
  readonly reply: RedisReply | RedisReplyError;
  readonly next: number;
}

/** The first reply in the bytes from `at` on, or undefined while it is not there in full. */
export function decodeReply(bytes: Buffer, at: number = 0): Decoded | undefined {
  const end = bytes.indexOf('\r\n', at);
  if (end < 0) return undefined;
  const line = bytes.toString('utf8', at + 1, end);
  const next = end + 2;
  switch (bytes.toString('latin1', at, at + 1)) {
    case '+':
      return { reply: line, next };
    case '-':
      return { reply: new RedisReplyError(line), next };
    case ':':
      return { reply: Number(line), next };
    case '$':
      return decodeBulk(bytes, next, Number(line));
    case '*':
      return decodeArray(bytes, next, Number(line));
    default:
      throw new Error(`not a reply of Redis: ${line.slice(0, 80)}`);
  }
}

function decodeBulk(bytes: Buffer, at: number, length: number): Decoded | undefined {
  if (length < 0) return { reply: null, next: at };
  if (bytes.length < at + length + 2) return undefined;
  return { reply: bytes.toString('utf8', at, at + length), next: at + length + 2 };
}

function decodeArray(bytes: Buffer, at: number, length: number): Decoded | undefined {
  if (length < 0) return { reply: null, next: at };
  const replies: RedisReply[] = [];
  let next = at;
  while (replies.length < length) {
    const element = decodeReply(bytes, next);
    if (element === undefined) return undefined;
    // The commands used here answer with an error or with an array, never with an error in an array.
    if (element.reply instanceof RedisReplyError) throw element.reply;
    replies.push(element.reply);
    next = element.next;
  }
  return { reply: replies, next };
}
