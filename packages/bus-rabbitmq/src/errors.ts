import { BusError, isBusError, tlsTrouble } from '@omnibus/core/transport';

/** What amqplib's errors carry beside the message: the broker's reply code, or Node's code of a socket. */
interface ClientError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: number | string;
}

type ErrorCode = BusError['code'];

interface Reason {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  /** What to do about it. */
  readonly hint?: string;
}

const NOT_ALLOWED: Reason = {
  code: 'AUTHORIZATION',
  hint: 'check the virtual host of the URL, what the user may do there, and the limits of the broker',
};

/** By the reply code of AMQP 0-9-1. */
const BY_REPLY_CODE: Readonly<Record<number, Reason>> = {
  // The broker is stopped, or somebody closed the connection there.
  320: { code: 'CONNECTION_LOST' },
  403: { code: 'AUTHORIZATION', hint: 'give the user the permission it lacks' },
  404: { code: 'BROKER', hint: 'somebody deleted it, or createTopology is false and nobody made it' },
  405: { code: 'BROKER' },
  501: { code: 'CONNECTION_LOST' },
  504: { code: 'CONNECTION_LOST' },
  505: { code: 'CONNECTION_LOST' },
  506: { code: 'BROKER', hint: 'the broker or the user has reached a limit' },
  530: NOT_ALLOWED,
  541: { code: 'BROKER' },
};

const LOST_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ABORT_ERR']);
const CONNECT_CODES =
  /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EADDRNOTAVAIL|ECONNREFUSED)/;
const ARGUMENT = /inequivalent arg '([^']+)' for (\w+) '([^']+)'/;
const RECEIVED = 'received ';
const CURRENT = ' but current is ';
/** A queue that is there, but cannot be had at the moment. */
const AWAY = /is down or inaccessible/;
const VALUE = /^the value '([^']*)'|^'?([^'\s]+)/;

/** An argument of a queue or exchange that is not what it should be. */
export interface Mismatch {
  readonly argument: string;
  readonly kind: string;
  readonly name: string;
  readonly wanted: string;
  readonly found: string;
}

/** The one place that turns what amqplib throws into the bus's errors. `doing` completes "could not …". */
export function toBusError(error: unknown, doing: string): BusError {
  if (isBusError(error)) return error;
  const client = (
    typeof error === 'object' && error !== null ? error : { message: String(error) }
  ) as ClientError;
  const { code, hint, retryable } = reasonOf(client);
  const said = saidBy(client.message ?? String(error));
  return new BusError(code, `Could not ${doing}: ${said}${hint === undefined ? '' : ` (${hint})`}`, {
    cause: error,
    ...(retryable === undefined ? {} : { retryable }),
  });
}

/** The broker's reply code, where the broker said no. */
export function replyCodeOf(error: unknown): number | undefined {
  const cause = isBusError(error) ? error.cause : error;
  const { code } = (typeof cause === 'object' && cause !== null ? cause : {}) as ClientError;
  return typeof code === 'number' ? code : undefined;
}

/** Whether a queue or exchange is not there. */
export function isMissing(error: unknown): boolean {
  return replyCodeOf(error) === 404 && !AWAY.test((error as Error).message);
}

/** Which argument differs from what exists, where that is what the broker complains of. */
export function mismatchOf(error: unknown): Mismatch | undefined {
  const { message = '' } = (typeof error === 'object' && error !== null ? error : {}) as ClientError;
  const [found, argument = '', kind = '', name = ''] = ARGUMENT.exec(message) ?? [];
  const [, received = ''] = message.split(RECEIVED, 2);
  const [wanted = '', current] = received.split(CURRENT, 2);
  if (found === undefined || current === undefined) return undefined;
  return { argument, kind, name, wanted: valueIn(wanted), found: valueIn(current.split('"', 1)[0] ?? '') };
}

/** The broker writes `the value 'classic' of type 'longstr'`, or `none`. */
function valueIn(text: string): string {
  const [, quoted, word] = VALUE.exec(text) ?? [];
  return quoted ?? word ?? text;
}

function reasonOf(error: ClientError): Reason {
  const { code, message = '' } = error;
  if (code === 406) return preconditionReason(error);
  if (AWAY.test(message)) return { code: 'CONNECT', hint: 'its node is down, or has just started' };
  if (typeof code === 'number') return BY_REPLY_CODE[code] ?? { code: 'BROKER' };
  if (/ACCESS.REFUSED|403 \(/.test(message))
    return { code: 'AUTHENTICATION', hint: 'check security.credentials and security.mechanism' };
  // Opening the virtual host was answered with a goodbye; amqplib hides which.
  if (/NOT.ALLOWED|ConnectionOpenOk/.test(message)) return NOT_ALLOWED;
  const tlsHint = tlsTrouble(code);
  if (tlsHint !== undefined) return { code: 'TLS', hint: tlsHint };
  if (LOST_CODES.has(code)) return { code: 'CONNECTION_LOST' };
  if (CONNECT_CODES.test(String(code)) || /ETIMEDOUT/.test(message)) return { code: 'CONNECT' };
  if (/heartbeat timeout|clos(ed|ing)|ended|unexpected close/i.test(message))
    return { code: 'CONNECTION_LOST' };
  return { code: 'BROKER' };
}

function preconditionReason(error: ClientError): Reason {
  const message = error.message ?? '';
  const mismatch = mismatchOf(error);
  if (mismatch) {
    const { argument, kind, name, wanted, found } = mismatch;
    return {
      code: 'CONFIGURATION',
      hint: `${argument} of ${kind} ${name} is ${found} on the broker and ${wanted} here; nothing was changed`,
    };
  }
  if (/larger than (the )?(configured )?max/.test(message))
    return { code: 'PAYLOAD_TOO_LARGE', hint: "raise the broker's max_message_size, or send less" };
  // A handler took longer than the broker's consumer_timeout: the queue is consumed anew.
  if (/acknowledg?ement/.test(message) && message.includes('timed out'))
    return { code: 'FENCED', hint: "raise the broker's consumer_timeout" };
  if (/invalid arg|unknown (exchange|queue) type/.test(message)) return { code: 'CONFIGURATION' };
  return { code: 'BROKER' };
}

const WORDS = 'with message "';

/** The broker's words, without amqplib's around them. */
function saidBy(message: string): string {
  const at = message.indexOf(WORDS);
  return at === -1 || !message.endsWith('"') ? message : message.slice(at + WORDS.length, -1);
}
