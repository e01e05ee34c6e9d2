import type { Socket } from 'node:net';
import type { KafkaBroker, KafkaCluster } from './kafkajs-cluster.js';

/*
 * Defects of kafkajs 2.2.4 that nobody will mend there any more. Mended in its classes, once for the process.
 */

interface RequestQueue {
  throttledUntil: number;
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/** What waits for an answer on a connection. */
interface RequestQueueContent {
  readonly inflight: ReadonlyMap<number, unknown>;
  readonly pending: readonly unknown[];
  rejectAll(error: Error): void;
}

interface Connection {
  readonly host: string;
  readonly port: number;
  readonly requestQueue: RequestQueueContent;
  socket?: Socket | undefined;
  /** What arrived of an answer that is not complete. */
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  connecting?: Promise<unknown> | undefined;
  disconnecting?: Promise<unknown> | undefined;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
}

/** Bytes that tell how long an answer is. */
const SIZE_OF_LENGTH = 4;

const repaired = new WeakSet<object>();

/** Mends the kafkajs that this cluster belongs to. The cluster must have been connected. */
export function repairKafkajs(cluster: KafkaCluster): void {
  const connection = brokersOf(cluster)[0]?.connectionPool.pool[0];
  if (!connection) return;
  once(Object.getPrototypeOf(connection.requestQueue) as RequestQueue, timersOnlyWhenNeeded);
  once(Object.getPrototypeOf(connection) as Connection, oneSocketAtATime);
}

/** All brokers that a cluster has connections to. */
export function brokersOf({ brokerPool }: KafkaCluster): readonly KafkaBroker[] {
  const known = Object.values(brokerPool.brokers);
  return brokerPool.seedBroker ? [brokerPool.seedBroker, ...known] : known;
}

/** The next request to this broker opens a new connection. */
export function dropConnections(broker: KafkaBroker, error: Error): void {
  for (const { socket } of broker.connectionPool.pool) socket?.destroy(error);
}

function once<T extends object>(prototype: T, repair: (prototype: T) => void): void {
  if (repaired.has(prototype)) return;
  repaired.add(prototype);
  repair(prototype);
}

/** Every request arms a timer that arms the next one, for ever: about a thousand a second for each connection. */
function timersOnlyWhenNeeded(prototype: RequestQueue): void {
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function calmSchedule(this: RequestQueue): void {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}

/**
 * Connecting and disconnecting run into each other. Two requests that find a connection closed both open a socket, one of
 * which nobody closes. A disconnect that is under way when the next connect begins ends the new socket in place of the old
 * one. What is written to a socket while it is being given up waits for an answer for ever. And half an answer of the old
 * socket is taken for the beginning of the first answer of the new one, after which nothing is understood any more. So: one
 * at a time, the old socket is dropped with all that came from it, and what slipped in fails at once.
 */
function oneSocketAtATime(prototype: Connection): void {
  const { connect, disconnect } = prototype;
  prototype.connect = function connectOnce(this: Connection): Promise<unknown> {
    this.connecting ??= (this.disconnecting ?? Promise.resolve())
      .then(() => connect.call(this))
      .finally(() => {
        this.connecting = undefined;
      });
    return this.connecting;
  };
  prototype.disconnect = function disconnectOnce(this: Connection): Promise<unknown> {
    this.disconnecting ??= giveUp(this, disconnect).finally(() => {
      this.disconnecting = undefined;
    });
    return this.disconnecting;
  };
}

async function giveUp(connection: Connection, disconnect: () => Promise<unknown>): Promise<unknown> {
  const { socket, requestQueue } = connection;
  const result = await disconnect.call(connection);
  if (socket) drop(socket);
  connection.chunks = [];
  connection.bytesBuffered = 0;
  connection.bytesNeeded = SIZE_OF_LENGTH;
  const slippedIn = requestQueue.inflight.size + requestQueue.pending.length;
  if (slippedIn > 0) requestQueue.rejectAll(connectionClosed(connection));
  return result;
}

/** Nothing that this socket still does may reach the connection, which may have another one by then. */
function drop(socket: Socket): void {
  for (const event of ['data', 'end', 'timeout', 'error']) socket.removeAllListeners(event);
  socket.on('error', () => undefined);
  socket.resume();
  socket.destroySoon();
}

function connectionClosed({ host, port }: Connection): Error {
  return Object.assign(new Error('Closed connection'), {
    name: 'KafkaJSConnectionClosedError',
    retriable: true,
    host,
    port,
  });
}
