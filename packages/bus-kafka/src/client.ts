import net from 'node:net';
import tls from 'node:tls';
import { tlsConnectOptions } from '@omnibus/core/transport';
import kafkajs, { type ISocketFactoryArgs, type Kafka, type KafkaConfig } from 'kafkajs';
import { clusterOf, type KafkaCluster } from './kafkajs-cluster.js';
import { brokersOf, repairCluster } from './kafkajs-repairs.js';
import type { KafkaConnectionSettings } from './options.js';
import { saslOf } from './sasl.js';
import { tlsOf } from './security.js';

const KEEP_ALIVE_MS = 60_000;
/** Timers may fire this much before the clock says so. */
const TIMER_SLACK_MS = 20;

/** One kafkajs client: the one place where brokers, security, sockets, time-outs and logging are set. */
export class KafkaClient {
  readonly cluster: KafkaCluster;
  private readonly sockets = new Set<net.Socket>();
  private closed = false;

  /** `onSocketClosed` is told of sockets that were connected and that this client did not close itself. */
  constructor(
    settings: KafkaConnectionSettings,
    clientId: string,
    private readonly onSocketClosed: () => void = () => undefined,
  ) {
    this.cluster = clusterOf(settings.kafka ?? this.create(settings, clientId));
    repairCluster(this.cluster);
  }

  connect(): Promise<void> {
    return this.cluster.connect();
  }

  /** Breaks every connection: what waits for an answer fails now. The next request connects again. */
  abort(reason: string): void {
    const error = Object.assign(new Error(reason), { code: 'ECONNABORTED' });
    for (const broker of brokersOf(this.cluster))
      for (const { socket } of broker.connectionPool.pool) socket?.destroy(error);
    for (const socket of this.sockets) socket.destroy(error);
  }

  /** Breaks the connections on which a request has waited this long; the others stay. */
  dropStuck(waitedMs: number): void {
    const error = Object.assign(new Error(`Nothing came for ${waitedMs} ms`), { code: 'ECONNABORTED' });
    const sentBefore = Date.now() - waitedMs + TIMER_SLACK_MS;
    for (const broker of brokersOf(this.cluster)) {
      for (const { socket, requestQueue } of broker.connectionPool.pool) {
        const waits = [...requestQueue.inflight.values()].some(
          ({ sentAt }) => (sentAt ?? sentBefore) <= sentBefore,
        );
        if (waits) socket?.destroy(error);
      }
    }
  }

  /** Leaves no socket and no timer behind. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.cluster.disconnect();
    await Promise.all([...this.sockets].map(destroyed));
  }

  private create(settings: KafkaConnectionSettings, clientId: string): Kafka {
    const tls = tlsOf(settings.security);
    const sasl = saslOf(settings.security, settings.connectionTimeoutMs);
    const config: KafkaConfig = {
      clientId,
      brokers: [...settings.brokers],
      ...(tls ? { ssl: tlsConnectOptions(tls) } : {}),
      ...(sasl ? { sasl } : {}),
      connectionTimeout: settings.connectionTimeoutMs,
      authenticationTimeout: settings.connectionTimeoutMs,
      requestTimeout: settings.requestTimeoutMs,
      // Enough to try every address once. Who calls decides what is tried again, and when.
      retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: Math.max(2, settings.brokers.length) },
      socketFactory: (args) => this.openSocket(args),
      // What matters is told through the bus's status; kafkajs would print it a second time.
      logLevel: kafkajs.logLevel.NOTHING,
    };
    return new kafkajs.Kafka(config);
  }

  private openSocket({ host, port, ssl, onConnect }: ISocketFactoryArgs): net.Socket {
    // An attempt to connect that was under way when the client was closed.
    if (this.closed) throw new Error('The client is closed');
    let connected = false;
    const onceConnected = (): void => {
      connected = true;
      onConnect();
    };
    const servername = net.isIP(host) ? {} : { servername: host };
    const socket = ssl
      ? tls.connect({ host, port, ...servername, ...ssl }, onceConnected)
      : net.connect({ host, port }, onceConnected);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // Small requests must not wait for the acknowledgement of the one before.
    socket.setNoDelay(true);
    this.sockets.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      if (connected && !this.closed) this.onSocketClosed();
    });
    return socket;
  }
}

/** Resolves when the socket is gone from this process. */
function destroyed(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve();
    socket.once('close', () => resolve());
    socket.destroy();
  });
}
