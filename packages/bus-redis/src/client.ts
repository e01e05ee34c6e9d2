import type { Socket } from 'node:net';
import { reconnectDelayMs, tlsConnectOptions } from '@omnibus/core/transport';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { toBusError } from './errors.js';
import { repairSocketTimers } from './ioredis-repairs.js';
import { askBeforeConnecting } from './login.js';
import type { RedisConnectionSettings } from './options.js';
import { credentialsOf, tlsOf } from './security.js';

/** A client of ioredis on one server, or on a Cluster. */
export type Commands = Redis | Cluster;

/** How a client tells what happens to its connection. */
export interface ClientEvents {
  works(): void;
  failed(error: ReturnType<typeof toBusError>): void;
}

const KEEP_ALIVE_MS = 30_000;
const DISCONNECT_TIMEOUT_MS = 100;
/** How often a server that reads its data after a start is asked whether it serves. */
const LOADING_LOOK_MS = 100;
/** Above it the server has gone rather than that it is slow. */
const BLOCK_GRACE_MS = 2_000;

/** One client of ioredis: the one place where addresses, security, sockets and time-outs are set. */
export class RedisClient {
  readonly commands: Commands;
  readonly isCluster: boolean;
  private wasReady = false;
  private closed = false;
  private lastError: Error | undefined;
  private giveUp: ((reason: Error) => void) | undefined;

  /** `blocksMs`: how long commands of this client may block at the server. */
  constructor(
    private readonly settings: RedisConnectionSettings,
    name: string,
    private readonly events: ClientEvents,
    blocksMs = 0,
  ) {
    this.commands = createCommands(settings, name, blocksMs);
    this.isCluster = this.commands.isCluster;
    repairSocketTimers(this.commands);
    const { security, url, sentinel, requestTimeoutMs } = settings;
    const logins = { server: credentialsOf(security, url), sentinels: sentinel?.credentials };
    askBeforeConnecting(this.commands, logins, requestTimeoutMs);
    this.commands.on('error', (error: Error) => {
      this.lastError = error;
    });
    this.commands.on('ready', () => {
      this.wasReady = true;
      this.lastError = undefined;
      events.works();
    });
    this.commands.on('close', () => this.onClose());
  }

  /** Where the client connects to, for messages. Never a password. */
  get address(): string {
    const { url, path, sentinel, cluster, redis } = this.settings;
    if (redis !== undefined) return 'the given client';
    if (path !== undefined) return path;
    if (sentinel !== undefined) return `${sentinel.name} of the sentinels`;
    if (cluster !== undefined) return cluster.nodes.map(({ host, port }) => `${host}:${port}`).join(', ');
    return url?.host || 'localhost:6379';
  }

  /** Resolves when commands can be sent. Tries until it is closed, or until trying again cannot help. */
  async connect(): Promise<void> {
    let onError = (_: Error): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.giveUp = reject;
        onError = (error) => {
          const reason = toBusError(error, `connect to Redis at ${this.address}`);
          if (!reason.retryable) reject(reason);
        };
        this.commands.on('error', onError).once('ready', resolve);
        // Failures arrive as events, and the client goes on trying.
        this.commands.connect().catch(() => undefined);
      });
      if (this.commands instanceof Cluster) await connectNodes(this.commands);
    } finally {
      this.commands.off('error', onError);
      this.giveUp = undefined;
    }
  }

  /** The reason of the last failure to connect. */
  whyNot(): ReturnType<typeof toBusError> {
    return toBusError(
      this.lastError ?? new Error('Connection is closed.'),
      `connect to Redis at ${this.address}`,
    );
  }

  /** Why the server lets this client in no more, until it does again: nothing is served by waiting for that. */
  get refusal(): ReturnType<typeof toBusError> | undefined {
    const reason = this.whyNot();
    return reason.retryable ? undefined : reason;
  }

  /** Breaks every connection: what waits for an answer fails now, and the client connects again. */
  abort(reason: string): void {
    for (const { stream } of this.nodes()) stream?.destroy(new Error(reason));
  }

  /** Leaves no socket and no timer behind. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.giveUp?.(this.whyNot());
    const sockets = this.nodes().flatMap(({ stream }) => (stream ? [stream] : []));
    this.commands.disconnect();
    await Promise.all(sockets.map(destroyed));
  }

  private nodes(): readonly Redis[] {
    return this.commands instanceof Cluster ? this.commands.nodes() : [this.commands as Redis];
  }

  private onClose(): void {
    if (this.closed || !this.wasReady) return;
    const lost = new Error('Connection is closed.');
    this.events.failed(toBusError(this.lastError ?? lost, `stay connected to Redis at ${this.address}`));
  }
}

function createCommands(settings: RedisConnectionSettings, name: string, blocksMs: number): Commands {
  const { url, path, sentinel, cluster, redis, db, security, requestTimeoutMs } = settings;
  const house = houseOptions(name, blocksMs > 0 ? blocksMs + BLOCK_GRACE_MS : requestTimeoutMs);
  if (redis !== undefined) {
    return redis.isCluster
      ? (redis as Cluster).duplicate(
          [],
          clusterOptions({ ...(redis as Cluster).options.redisOptions, ...house }),
        )
      : (redis as Redis).duplicate(house);
  }
  const tls = tlsOf(security, url);
  const options: RedisOptions = { ...house, ...(tls ? { tls: tlsConnectOptions(tls) } : {}) };
  if (cluster !== undefined) return new Cluster([...cluster.nodes], clusterOptions(options));
  options.db = db ?? Number(url?.pathname.slice(1) || 0);
  if (sentinel !== undefined) {
    options.sentinels = [...sentinel.nodes];
    options.name = sentinel.name;
    if (options.tls) {
      options.enableTLSForSentinelMode = true;
      options.sentinelTLS = options.tls;
    }
    // Otherwise a master that was replaced while the connection stood would go unnoticed.
    options.failoverDetector = true;
  } else if (path !== undefined) options.path = path;
  else {
    options.host = url?.hostname.replace(/^\[|\]$/g, '') || 'localhost';
    options.port = Number(url?.port || 6379);
  }
  return new Redis(options);
}

function houseOptions(connectionName: string, socketTimeoutMs: number): RedisOptions {
  return {
    // Names with spaces are refused by the server.
    connectionName: connectionName.replace(/[^!-~]/g, '_'),
    lazyConnect: true,
    // What is sent again, and when, is decided by who sent it: the client itself would not know what it repeats.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: false,
    retryStrategy: reconnectDelayMs,
    sentinelRetryStrategy: reconnectDelayMs,
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    connectTimeout: socketTimeoutMs,
    socketTimeout: socketTimeoutMs,
    // By itself the client waits as long as the server guesses that it will load, up to ten seconds: longer than a lease.
    maxLoadingRetryTime: LOADING_LOOK_MS,
    // A socket that is closed is not waited for.
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: KEEP_ALIVE_MS,
    readOnly: false,
  };
}

function clusterOptions(redisOptions: RedisOptions): ClusterOptions {
  return {
    redisOptions,
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnectDelayMs,
    scaleReads: 'master',
    // As above: what was under way when a node went is not sent again by the client.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: redisOptions.connectTimeout ?? 1_000,
  };
}

/** A node that is connected only when it is needed refuses what comes until then, all but the first command. */
async function connectNodes(cluster: Cluster): Promise<void> {
  const waiting = cluster.nodes('master').filter(({ status }) => status === 'wait');
  // One that is down is found out by who asks it.
  await Promise.allSettled(waiting.map((node) => node.connect()));
}

/** Resolves when the socket is gone from this process. */
function destroyed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve();
    socket.once('close', () => resolve());
    socket.destroy();
  });
}
