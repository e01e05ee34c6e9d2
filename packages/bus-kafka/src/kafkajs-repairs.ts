import type { KafkaBroker, KafkaCluster } from './kafkajs-cluster.js';

/*
 * Two defects of kafkajs 2.2.4 that nobody will mend there any more. Mended in its classes, once for the process.
 */

interface RequestQueue {
  throttledUntil: number;
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

interface Connection {
  connecting?: Promise<unknown> | undefined;
  connect(): Promise<unknown>;
}

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

/** Two requests that find a connection closed both open a socket; one of them is used by nobody and closed by nobody. */
function oneSocketAtATime(prototype: Connection): void {
  const { connect } = prototype;
  prototype.connect = function connectOnce(this: Connection): Promise<unknown> {
    this.connecting ??= connect.call(this).finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  };
}
