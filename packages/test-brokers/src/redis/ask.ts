import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '../errors.js';
import { decodeReply, encodeCommand, type RedisReply, RedisReplyError } from './resp.js';

/** Where a Redis listens. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Who asks. */
export interface RedisUser {
  readonly username: string;
  readonly password: string;
}

/** How a Redis is reached. */
export interface RedisTarget {
  readonly at: RedisAddress | { readonly path: string };
  readonly user?: RedisUser | undefined;
  /** Present for TLS. */
  readonly tls?:
    | { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly servername?: string }
    | undefined;
}

/**
 * Sends one command on a connection of its own, after logging in where a user is given. Rejects when the
 * answer is an error (`RedisReplyError`), or is not there in time.
 */
export async function askRedis(
  target: RedisTarget,
  command: readonly string[],
  timeoutMs: number,
): Promise<RedisReply> {
  const { user } = target;
  const login = user === undefined ? [] : [['AUTH', user.username, user.password]];
  const replies = await exchange(target, [...login, command], timeoutMs);
  for (const reply of replies) if (reply instanceof RedisReplyError) throw reply;
  return replies.at(-1) as RedisReply;
}

/** A target as errors name it. */
export function nameOfTarget({ at }: RedisTarget): string {
  return 'path' in at ? at.path : `${at.host}:${at.port}`;
}

function exchange(
  target: RedisTarget,
  commands: readonly (readonly string[])[],
  timeoutMs: number,
): Promise<(RedisReply | RedisReplyError)[]> {
  return new Promise((resolve, reject) => {
    const socket = open(target);
    const fail = (message: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Error(`${nameOfTarget(target)} ${message}`));
    };
    const timer = setTimeout(() => fail(`did not answer within ${timeoutMs} ms`), timeoutMs);
    let received = Buffer.alloc(0);
    socket.write(commands.map(encodeCommand).join(''));
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('closed the connection'));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        const replies = repliesIn(received);
        if (replies.length < commands.length) return;
        clearTimeout(timer);
        resolve(replies);
        socket.destroy();
      } catch (error) {
        fail(`answered what is not understood: ${messageOf(error)}`);
      }
    });
  });
}

function open({ at, tls }: RedisTarget): Socket {
  return tls === undefined ? connectPlain({ ...at }) : connectTls({ ...at, ...tls });
}

function repliesIn(bytes: Buffer): (RedisReply | RedisReplyError)[] {
  const replies: (RedisReply | RedisReplyError)[] = [];
  let at = 0;
  while (at < bytes.length) {
    const decoded = decodeReply(bytes, at);
    if (decoded === undefined) break;
    replies.push(decoded.reply);
    at = decoded.next;
  }
  return replies;
}
