import type { BrokerTlsFiles } from '../tls-files.js';
import type { RedisUser } from './ask.js';
import type { ResolvedRedisOptions } from './redis-options.js';

/** Where one node listens and where its files are, as the node sees it. */
export interface RedisLayout {
  /** 1 for the first node. */
  readonly nodeId: number;
  /** The address it binds. */
  readonly bind: string;
  /** The address others reach it at. */
  readonly host: string;
  readonly port: number;
  /** Where the nodes of a cluster talk among themselves. */
  readonly busPort?: number | undefined;
  readonly tlsPort?: number | undefined;
  readonly socketPath?: string | undefined;
  /** Holds its data and its configuration. */
  readonly folder: string;
}

/** What the nodes of one Redis have in common. */
export interface RedisSecrets {
  /** Logs in where users are given. */
  readonly admin: RedisUser | undefined;
  readonly tls: BrokerTlsFiles | undefined;
}

/** The name of the configuration file in a node's folder. */
export const CONFIG_FILE = 'redis.conf';

const DURABLE: readonly string[] = ['appendonly yes', 'appendfsync always'];
// A replica would keep the copy that its master sent it when they met, and start with that.
const FORGETFUL: readonly string[] = ['appendonly no', 'rdb-del-sync-files yes'];

/** The content of `redis.conf` of a node that holds data. */
export function redisConfig(
  options: ResolvedRedisOptions,
  layout: RedisLayout,
  secrets: RedisSecrets,
  replicaOf?: RedisLayout,
): string {
  const lines = [
    ...commonLines(layout),
    'save ""',
    ...(options.durable ? DURABLE : FORGETFUL),
    ...(options.maxMemoryMb === undefined ? [] : [`maxmemory ${options.maxMemoryMb}mb`]),
    'maxmemory-policy noeviction',
    ...tlsLines(options, layout, secrets),
    ...userLines(options, secrets),
    ...(layout.socketPath === undefined ? [] : [`unixsocket ${quoted(layout.socketPath)}`]),
    ...(options.topology === 'single' ? [] : replicationLines(layout)),
    ...(options.topology === 'cluster' ? clusterLines(options, layout) : []),
    ...(replicaOf === undefined ? [] : [`replicaof ${replicaOf.host} ${replicaOf.port}`]),
    ...options.config,
  ];
  return `${lines.join('\n')}\n`;
}

/** The lines that a node which holds data and a sentinel have in common. */
export function commonLines({ bind, port, folder }: RedisLayout): string[] {
  return [`bind ${bind}`, `port ${port}`, 'protected-mode no', 'daemonize no', `dir ${quoted(folder)}`];
}

function tlsLines(
  { tls, serverCertificate }: ResolvedRedisOptions,
  { tlsPort }: RedisLayout,
  secrets: RedisSecrets,
): string[] {
  if (tlsPort === undefined || secrets.tls === undefined) return [];
  const { caPath, certificatePaths } = secrets.tls;
  const certificate = quoted(certificatePaths[serverCertificate]);
  return [
    `tls-port ${tlsPort}`,
    `tls-ca-cert-file ${quoted(caPath)}`,
    `tls-cert-file ${certificate}`,
    `tls-key-file ${certificate}`,
    `tls-auth-clients ${tls === 'mutual' ? 'yes' : 'no'}`,
  ];
}

function userLines({ users }: ResolvedRedisOptions, { admin }: RedisSecrets): string[] {
  if (admin === undefined) return [];
  return [
    'user default off',
    `user ${admin.username} on >${admin.password} ~* &* +@all`,
    ...users.map(({ username, password, rules }) => `user ${username} on >${password} ${rules}`),
    `masteruser ${admin.username}`,
    `masterauth ${admin.password}`,
  ];
}

function replicationLines({ host, port }: RedisLayout): string[] {
  return [
    `replica-announce-ip ${host}`,
    `replica-announce-port ${port}`,
    // A replica is there at once instead of after 5 s.
    'repl-diskless-sync-delay 0',
    'repl-ping-replica-period 1',
  ];
}

function clusterLines({ failureAfterMs }: ResolvedRedisOptions, layout: RedisLayout): string[] {
  return [
    'cluster-enabled yes',
    'cluster-config-file nodes.conf',
    `cluster-port ${layout.busPort}`,
    `cluster-node-timeout ${failureAfterMs}`,
    `cluster-announce-ip ${layout.host}`,
    // A replica takes over however long it was out of touch with its master.
    'cluster-replica-validity-factor 0',
  ];
}

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
