import { BusError, tlsConnectOptions, within } from '@omnibus/core/transport';
import amqplib, { type Channel, type ChannelModel } from 'amqplib';
import { closeBehindBroker, readWhateverNests } from './amqplib-repairs.js';
import type { RabbitMQConnectionSettings } from './options.js';
import { loginOf, tlsOf } from './security.js';

const KEEP_ALIVE_MS = 60_000;
/** The largest frame that all brokers accept by default: headers must fit into one. */
const FRAME_MAX_BYTES = 131_072;
/** How long a connection may take to say goodbye. */
const CLOSE_GRACE_MS = 500;

/** A connection that stands, and how to end it. */
export interface OpenConnection {
  readonly model: ChannelModel;
  /** It belongs to somebody else: there is no other when it ends. */
  readonly isGiven: boolean;
  /** What was agreed on with the broker. It gives the connection up when nothing comes for two of them, or three. */
  readonly heartbeatMs: number;
  /** Says goodbye, and breaks the connection when that takes too long. Never rejects. */
  close(): Promise<void>;
  /** Breaks it at once. */
  destroy(): void;
}

/** Opens connections: the one place where addresses, credentials, sockets and time-outs are set. */
export class RabbitMQClient {
  private next = 0;

  constructor(private readonly settings: RabbitMQConnectionSettings) {}

  /** Where it connects to, without secrets. */
  get addresses(): string {
    return this.settings.connection
      ? 'the given connection'
      : this.settings.urls.map(({ host }) => host).join(', ');
  }

  /** Connects to the next address. The caller decides what is tried again, and when. */
  async connect(name: string, signal: AbortSignal): Promise<OpenConnection> {
    const { connection, urls } = this.settings;
    if (connection) return borrowed(connection, this.settings.heartbeatMs);
    const url = urls[this.next % urls.length] as URL;
    this.next += 1;
    return this.open(url, name, signal);
  }

  /** How many addresses there are to try. */
  get choices(): number {
    return this.settings.connection ? 1 : this.settings.urls.length;
  }

  private async open(url: URL, name: string, signal: AbortSignal): Promise<OpenConnection> {
    const { security, heartbeatMs, connectionTimeoutMs } = this.settings;
    const tls = tlsOf(security, url);
    const credentials = await loginOf(url, security, connectionTimeoutMs);
    // Destroys the socket, also while it is being connected.
    const breaker = new AbortController();
    const abort = (): void => breaker.abort();
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    const opening = amqplib.connect(
      {
        protocol: tls ? 'amqps' : 'amqp',
        hostname: url.hostname.replace(/^\[|\]$/g, ''),
        ...(url.port === '' ? {} : { port: Number(url.port) }),
        vhost: url.pathname.slice(1),
        frameMax: FRAME_MAX_BYTES,
        heartbeat: Math.ceil(heartbeatMs / 1_000),
      },
      {
        ...(tls ? tlsConnectOptions(tls) : {}),
        credentials,
        noDelay: true,
        keepAlive: true,
        keepAliveDelay: KEEP_ALIVE_MS,
        timeout: connectionTimeoutMs,
        clientProperties: { connection_name: name },
        // Node's sockets know it, amqplib's types do not.
        ...{ signal: breaker.signal },
      },
    );
    const late = (): BusError =>
      new BusError('CONNECT', `${url.host} does not answer within ${connectionTimeoutMs} ms`);
    try {
      return owned(await within(connectionTimeoutMs, opening, late), heartbeatMs, abort);
    } catch (error) {
      abort();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

function owned(model: ChannelModel, heartbeatMs: number, destroy: () => void): OpenConnection {
  readWhateverNests(model);
  closeBehindBroker(model);
  return {
    model,
    isGiven: false,
    heartbeatMs: agreedHeartbeatMs(model, heartbeatMs),
    destroy,
    close: async () => {
      // amqplib forgets who waits for a close when the connection ends meanwhile.
      const gone = new Promise<void>((resolve) => model.once('close', () => resolve()));
      const closing = model.close().catch(() => undefined);
      const late = (): Error => new Error('no goodbye');
      await within(CLOSE_GRACE_MS, Promise.race([closing, gone]), late).catch(() => undefined);
      destroy();
    },
  };
}

/** A connection of somebody else: never closed. */
function borrowed(model: ChannelModel, heartbeatMs: number): OpenConnection {
  return {
    model,
    isGiven: true,
    heartbeatMs: agreedHeartbeatMs(model, heartbeatMs),
    destroy: () => undefined,
    close: () => Promise.resolve(),
  };
}

/** The shorter of what client and broker want; amqplib's types do not show it. */
function agreedHeartbeatMs({ connection }: ChannelModel, otherwiseMs: number): number {
  const { heartbeat } = connection as { readonly heartbeat?: number };
  // 0 is none: then nobody gives anything up.
  return heartbeat ? heartbeat * 1_000 : otherwiseMs;
}

/** What the broker answers. Rejects with `TIMEOUT` when nothing comes in time. */
export function answered<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  return within(
    timeoutMs,
    answer,
    () => new BusError('TIMEOUT', `RabbitMQ did not answer within ${timeoutMs} ms`),
  );
}

/** A channel for one purpose, closed behind it. What fails on it harms no other. */
export async function onChannel<T>(
  model: ChannelModel,
  timeoutMs: number,
  work: (channel: Channel) => Promise<T>,
): Promise<T> {
  const channel = await answered(timeoutMs, model.createChannel());
  // Whoever waits for an answer gets the error, too.
  channel.on('error', () => undefined);
  try {
    return await answered(timeoutMs, work(channel));
  } finally {
    await closeChannel(channel, timeoutMs);
  }
}

/** Resolves when the channel is gone, however it went. Never rejects. */
export async function closeChannel(channel: Channel, timeoutMs: number): Promise<void> {
  // As with connections.
  const gone = new Promise<void>((resolve) => channel.once('close', () => resolve()));
  try {
    const closing = channel.close();
    await within(timeoutMs, Promise.race([closing, gone]), () => new Error('no answer to the close'));
  } catch {
    // It was closed already, or its connection is about to be given up.
  }
}
