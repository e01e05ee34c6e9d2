import type { Socket } from 'node:net';
import { AnswerLengths } from './answer-lengths.js';
import type { ConnectionPoolBuilder, KafkaBroker, KafkaCluster } from './kafkajs-cluster.js';
import { call } from './protocol.js';

/*
 * Defects of the connections of kafkajs 2.2.4 that nobody will mend there any more. Mended in the connections of one
 * cluster, as they are made: other clients in the process keep what they have.
 */

/** What waits for an answer on a connection. */
interface RequestQueue {
  throttledUntil: number;
  readonly pending: readonly unknown[];
  readonly inflight: ReadonlyMap<number, unknown>;
  scheduleCheckPendingRequests(): void;
  rejectAll(error: Error): void;
  destroy(): void;
}

interface Connection {
  readonly host: string;
  readonly port: number;
  readonly requestQueue: RequestQueue;
  socket: Socket | undefined;
  connectionStatus: string;
  authenticatedAt: unknown;
  authHandlers: { onError(): void } | null;
  /** What arrived of an answer that is not complete. */
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  processData(data: Buffer): void;
}

/** Bytes that tell how long an answer is. */
const SIZE_OF_LENGTH = 4;

/** Mends what this cluster is going to make: brokers and their connections. */
export function repairCluster({ brokerPool, connectionPoolBuilder }: KafkaCluster): void {
  repairConnections(connectionPoolBuilder);
  const create = brokerPool.createBroker.bind(brokerPool);
  brokerPool.createBroker = (options) => {
    const broker = create(options);
    learnOfBrokersAnyway(broker);
    return broker;
  };
}

function repairConnections(builder: ConnectionPoolBuilder): void {
  const build = builder.build.bind(builder);
  builder.build = async (...args) => {
    const connections = await build(...args);
    for (const connection of connections.pool as readonly Connection[]) {
      timersOnlyWhenNeeded(connection.requestQueue);
      oneSocketAtATime(connection);
      refuseAbsurdLengths(connection);
    }
    return connections;
  };
}

/**
 * kafkajs learns of the brokers together with a topic, and of none when a single partition of that has no leader, or when
 * the topic is gone. Who needs the topic asks for it (`TopicView`).
 */
function learnOfBrokersAnyway(broker: KafkaBroker): void {
  broker.metadata = (topics) => call(broker, 'Metadata', { topics, allowAutoTopicCreation: false });
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

/** Every request arms a timer that arms the next one, for ever: about a thousand a second for each connection. */
function timersOnlyWhenNeeded(queue: RequestQueue): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0 || queue.throttledUntil > Date.now()) schedule();
  };
}

/**
 * Connecting and disconnecting run into each other. Two requests that find a connection closed both open a socket, one of
 * which nobody closes. A disconnect waits for answers that cannot come any more; while it waits the connection passes for
 * connected, and what is sent then is lost, or ends up on the socket of the next connect, which the disconnect ends in
 * place of its own. And half an answer of the old socket is taken for the beginning of the first answer of the new one,
 * after which nothing is understood any more. So: one connect at a time, and a disconnect that is over at once.
 */
function oneSocketAtATime(connection: Connection): void {
  const connect = connection.connect.bind(connection);
  let connecting: Promise<unknown> | undefined;
  connection.connect = () => {
    connecting ??= connect()
      // A client that was handed over makes its sockets itself. Small requests must not wait for the acknowledgement of
      // the one before.
      .then(() => connection.socket?.setNoDelay(true))
      .finally(() => {
        connecting = undefined;
      });
    return connecting;
  };
  connection.disconnect = () => {
    giveUp(connection);
    return Promise.resolve(true);
  };
}

/** Any length passes for true: one of gigabytes is waited for, and from one that is negative it never comes back. */
function refuseAbsurdLengths(connection: Connection): void {
  const processData = connection.processData.bind(connection);
  const bySocket = new WeakMap<Socket, AnswerLengths>();
  connection.processData = (data) => {
    const { socket } = connection;
    if (!socket) return;
    const lengths = bySocket.get(socket) ?? new AnswerLengths();
    bySocket.set(socket, lengths);
    const absurd = lengths.absurdIn(data);
    if (absurd === undefined) processData(data);
    else
      socket.destroy(new Error(`an answer is said to have ${absurd} bytes: what answers is no Kafka broker`));
  };
}

function giveUp(connection: Connection): void {
  const { socket, requestQueue, authHandlers } = connection;
  connection.socket = undefined;
  connection.connectionStatus = 'disconnected';
  connection.authenticatedAt = null;
  connection.chunks = [];
  connection.bytesBuffered = 0;
  connection.bytesNeeded = SIZE_OF_LENGTH;
  const error = connectionClosed(connection);
  if (requestQueue.inflight.size + requestQueue.pending.length > 0) requestQueue.rejectAll(error);
  requestQueue.destroy();
  authHandlers?.onError();
  if (!socket) return;
  // The connect that waits for this socket learns that it waits in vain.
  if (socket.connecting) socket.emit('error', error);
  drop(socket);
}

/** Nothing that this socket still does may reach the connection, which may have another one by then. */
function drop(socket: Socket): void {
  for (const event of ['connect', 'secureConnect', 'data', 'end', 'timeout', 'error'])
    socket.removeAllListeners(event);
  socket.on('error', () => undefined);
  socket.resume();
  socket.destroySoon();
}

function connectionClosed({ host, port }: Connection): Error {
  const name = 'KafkaJSConnectionClosedError';
  return Object.assign(new Error('Closed connection'), { name, retriable: true, host, port });
}
