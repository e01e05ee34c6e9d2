import { BusError, isBusError, tlsTrouble } from '@omnibus/core/transport';

/** What ioredis's errors carry beside the message. */
interface ClientError {
  readonly name?: string;
  readonly message?: string;
  /** Of connection errors: Node's code. */
  readonly code?: string | number;
  /** Of errors that the server answered. */
  readonly command?: { readonly name?: string; args?: readonly unknown[] };
  /** Of errors of a cluster: what its last node said. */
  readonly lastNodeError?: unknown;
}

interface Reason {
  readonly code: BusError['code'];
  readonly retryable?: boolean;
  /** What to do about it. */
  readonly hint?: string;
}

const AUTHENTICATION: Reason = {
  code: 'AUTHENTICATION',
  hint: 'check security.credentials',
};
const CONNECTION_LOST: Reason = { code: 'CONNECTION_LOST' };
const CONNECT: Reason = { code: 'CONNECT' };

/** By the word that the server's error begins with. Others are retryable `BROKER` errors. */
const BY_WORD: Readonly<Record<string, Reason>> = {
  NOAUTH: AUTHENTICATION,
  WRONGPASS: AUTHENTICATION,
  NOPERM: { code: 'AUTHORIZATION' },
  OOM: { code: 'BROKER', hint: 'the server is full: raise maxmemory, or bound the streams with retention' },
  READONLY: { code: 'BROKER', hint: 'this server is a replica now; the connection is made anew' },
  LOADING: { code: 'BROKER', hint: 'the server reads its data from disk' },
  MASTERDOWN: { code: 'BROKER', hint: 'a replica without its master was asked' },
  NOREPLICAS: { code: 'BROKER', hint: 'fewer replicas are in reach than min-replicas-to-write asks for' },
  MISCONF: { code: 'BROKER', hint: 'the server cannot write to its disk' },
  CLUSTERDOWN: { code: 'BROKER', hint: 'a part of the slots has no master' },
  MOVED: { code: 'BROKER', hint: 'the slot lies on another node now' },
  ASK: { code: 'BROKER', hint: 'the slot is being moved' },
  TRYAGAIN: { code: 'BROKER', hint: 'the slot is being moved' },
  BUSY: { code: 'BROKER', hint: 'a script blocks the server' },
  UNKILLABLE: { code: 'BROKER', hint: 'a script blocks the server' },
  WRONGTYPE: {
    code: 'CONFIGURATION',
    hint: 'a key of this name holds something else: choose another streamPrefix',
  },
  CROSSSLOT: {
    code: 'CONFIGURATION',
    hint: 'the server is a node of a Cluster: give its address as cluster.nodes',
  },
};

/** By what ioredis says when there is no connection. */
const BY_TEXT: readonly (readonly [RegExp, Reason])[] = [
  [/^Connection is closed|^Command aborted|isn't writeable|^Cluster isn't ready/, CONNECTION_LOST],
  [/max retries per request/, CONNECTION_LOST],
  [/^All sentinels are unreachable|^Failed to refresh slots cache|None of startup nodes/, CONNECT],
  [/ETIMEDOUT/, CONNECT],
  [/^Command timed out|^Socket timeout/, { code: 'TIMEOUT' }],
  [/max number of clients reached/, { code: 'CONNECT', hint: "raise the server's maxclients" }],
  [/invalid password|invalid username-password/, AUTHENTICATION],
  [/unknown (sub)?command/i, { code: 'UNSUPPORTED', hint: 'Redis 7.0 or newer, or Valkey 8, is needed' }],
  [/can't run this command or subcommand|can't access [a-z ]{0,60}keys/, { code: 'AUTHORIZATION' }],
];

const LOST_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);
const MAX_NAMED_KEYS = 4;

/** The one place that turns what ioredis throws into the bus's errors. `doing` completes "could not …". */
export function toBusError(error: unknown, doing: string): BusError {
  if (isBusError(error)) return error;
  const client = clientErrorOf(error);
  const reason = reasonOf(client);
  const { code, retryable } = reason;
  const hint = code === 'AUTHORIZATION' ? permissionHint(client) : reason.hint;
  const said = client.message ?? String(error);
  forgetArguments(client);
  const message = `Could not ${doing}: ${said}${hint === undefined ? '' : ` (${hint})`}`;
  return new BusError(code, message, { cause: error, ...(retryable === undefined ? {} : { retryable }) });
}

/** They are passwords and events, and whoever logs the cause of an error would write them down. */
function forgetArguments({ command }: ClientError): void {
  if (command?.args !== undefined) command.args = [];
}

/** The word that an error of the server begins with, for example `NOGROUP`. */
export function errorWord(error: unknown): string {
  return /^[A-Z]+/.exec(clientErrorOf(error).message ?? '')?.[0] ?? '';
}

function clientErrorOf(error: unknown): ClientError {
  if (typeof error !== 'object' || error === null) return { message: String(error) };
  const client = error as ClientError;
  return client.lastNodeError === undefined ? client : clientErrorOf(client.lastNodeError);
}

function reasonOf(error: ClientError): Reason {
  const message = error.message ?? '';
  const known = BY_WORD[errorWord(error)] ?? BY_TEXT.find(([pattern]) => pattern.test(message))?.[1];
  return known ?? connectionReason(error) ?? { code: 'BROKER' };
}

function connectionReason({ code }: ClientError): Reason | undefined {
  if (typeof code !== 'string') return undefined;
  const hint = tlsTrouble(code);
  if (hint !== undefined) return { code: 'TLS', hint };
  return LOST_CODES.has(code) ? CONNECTION_LOST : CONNECT;
}

/** What was refused: the server names the command or the key, but not always both. */
function permissionHint({ command }: ClientError): string {
  const keys = keysOf(command);
  const on = keys.length === 0 ? '' : ` on ${keys.slice(0, MAX_NAMED_KEYS).join(', ')}`;
  return `give the user the right to run ${command?.name ?? 'this'}${on}; docs/security.md lists what the bus needs`;
}

function keysOf(command: ClientError['command']): readonly string[] {
  const args = command?.args ?? [];
  if (command?.name?.startsWith('eval')) return args.slice(2, 2 + Number(args[1])).map(String);
  if (command?.name?.startsWith('xread')) return args.slice(args.indexOf('STREAMS') + 1).map(String);
  return args.slice(0, 1).map(String);
}
