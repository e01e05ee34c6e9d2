import {
  type CredentialsSource,
  delay,
  type PasswordSettings,
  reconnectDelayMs,
} from '@omnibus/core/transport';
import { Cluster, type Redis } from 'ioredis';

/** What logs in, where. */
export interface Logins {
  readonly server: CredentialsSource<PasswordSettings> | undefined;
  readonly sentinels: CredentialsSource<PasswordSettings> | undefined;
}

/** What of ioredis opens its socket, and what it then logs in with. */
interface Connecting {
  readonly connector: {
    connect(emit: Emit): Promise<unknown>;
    disconnect(): void;
  };
  readonly condition: { auth: readonly [string, string] | undefined };
  readonly options: {
    username?: string;
    password?: string;
    sentinelUsername?: string;
    sentinelPassword?: string;
  };
}

type Emit = (type: string, error: unknown) => void;

/**
 * ioredis keeps the credentials that it was made with. Here they are asked for before every socket, and asked again,
 * with growing pauses, where they cannot be had. The only place where they are revealed.
 */
export function askBeforeConnecting(client: Redis | Cluster, logins: Logins, timeoutMs: number): void {
  if (logins.server === undefined && logins.sentinels === undefined) return;
  const ask = (redis: Redis): void => askBefore(redis as unknown as Connecting, logins, timeoutMs);
  if (!(client instanceof Cluster)) return ask(client);
  client.on('+node', (node: Redis) => {
    ask(node);
    // Where the slots lie is asked over a copy, also before the node itself ever logged in.
    const duplicate = node.duplicate.bind(node);
    node.duplicate = (options) => {
      const copy = duplicate(options);
      ask(copy);
      return copy;
    };
  });
}

function askBefore(redis: Connecting, logins: Logins, timeoutMs: number): void {
  const { connector } = redis;
  const connect = connector.connect.bind(connector);
  const disconnect = connector.disconnect.bind(connector);
  let asking = new AbortController();
  connector.disconnect = () => {
    asking.abort();
    disconnect();
  };
  connector.connect = async (emit) => {
    asking = new AbortController();
    const { signal } = asking;
    await untilAnswered(() => logIn(redis, logins, timeoutMs), signal, emit);
    if (signal.aborted) throw new Error('Connection is closed.');
    return connect(emit);
  };
}

async function untilAnswered(ask: () => Promise<void>, signal: AbortSignal, emit: Emit): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      emit('error', error);
      await delay(reconnectDelayMs(attempt), signal);
    }
  }
}

async function logIn(redis: Connecting, { server, sentinels }: Logins, timeoutMs: number): Promise<void> {
  const [own, theirs] = await Promise.all([server?.ask(timeoutMs), sentinels?.ask(timeoutMs)]);
  const { options } = redis;
  if (own) {
    const password = own.password.reveal();
    redis.condition.auth = [own.username, password];
    // The connection by which a Cluster's client learns of changes takes them from here.
    Object.assign(options, { username: own.username, password });
  }
  if (theirs)
    Object.assign(options, { sentinelUsername: theirs.username, sentinelPassword: theirs.password.reveal() });
}
