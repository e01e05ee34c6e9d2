import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOOPBACK } from '../ports.js';
import type { ResolvedRabbitMQOptions } from './rabbitmq-options.js';
import { definitionsOf } from './rabbitmq-users.js';
import type { ShownCertificate } from './shown-certificate.js';

/** Where one node is, and what it is called. */
export interface RabbitMQLayout {
  readonly id: number;
  /** Of Erlang. */
  readonly name: string;
  readonly folder: string;
  readonly port: number;
  readonly tlsPort: number | undefined;
  readonly managementPort: number | undefined;
  readonly distributionPort: number;
  /** Of the daemon by which the nodes of this broker, and no others, find each other. */
  readonly epmdPort: number;
}

/** What `rabbitmq.conf` has no words for. */
const QUICK_COUNTS = '[{rabbit, [{quorum_tick_interval, 500}, {collect_statistics_interval, 500}]}].';

const DEFINITIONS = 'definitions.json';

/** Writes what a node reads when it starts. Resolves to its environment. */
export async function writeNodeFiles(
  layout: RabbitMQLayout,
  all: readonly RabbitMQLayout[],
  options: ResolvedRabbitMQOptions,
  cookie: string,
  tls: ShownCertificate | undefined,
): Promise<Readonly<Record<string, string>>> {
  const { folder, name, distributionPort, epmdPort } = layout;
  await mkdir(join(folder, 'home'), { recursive: true });
  await writeFile(join(folder, 'home', '.erlang.cookie'), cookie, { mode: 0o400 });
  await writeFile(join(folder, 'rabbitmq.conf'), configOf(layout, all, options, tls).join('\n'));
  await writeFile(join(folder, 'plugins'), `[${pluginsOf(options).join(',')}].\n`);
  const definitions = definitionsOf(options);
  if (definitions !== undefined) await writeFile(join(folder, DEFINITIONS), definitions, { mode: 0o600 });
  await writeFile(join(folder, 'advanced.config'), options.management ? QUICK_COUNTS : '[].');
  return {
    HOME: join(folder, 'home'),
    RABBITMQ_NODENAME: name,
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    // Nothing of a RabbitMQ that is installed on the machine.
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: LOOPBACK,
    // The script then becomes the broker instead of waiting for it, so that it can be killed and frozen.
    RUNNING_UNDER_SYSTEMD: '1',
  };
}

function pluginsOf({ plugins, management, certificateLogin }: ResolvedRabbitMQOptions): string[] {
  const ours = [
    ...(management ? ['rabbitmq_management'] : []),
    ...(certificateLogin ? ['rabbitmq_auth_mechanism_ssl'] : []),
  ];
  return [...new Set([...plugins, ...ours])];
}

function configOf(
  { port, tlsPort, managementPort, folder }: RabbitMQLayout,
  all: readonly RabbitMQLayout[],
  options: ResolvedRabbitMQOptions,
  tls: ShownCertificate | undefined,
): string[] {
  if (options.configuration && tls && tlsPort !== undefined) {
    const { caPath, path: certificatePath } = tls;
    return [options.configuration({ tlsPort, caPath, certificatePath })];
  }
  const lines = [
    `listeners.tcp.1 = ${LOOPBACK}:${port}`,
    'log.console = true',
    'log.console.level = warning',
    'disk_free_limit.absolute = 50MB',
  ];
  if (managementPort !== undefined)
    lines.push(`management.tcp.ip = ${LOOPBACK}`, `management.tcp.port = ${managementPort}`);
  if (tls && tlsPort !== undefined) lines.push(...tlsLines(tls, tlsPort, options));
  if (definitionsOf(options) !== undefined) lines.push(`load_definitions = ${join(folder, DEFINITIONS)}`);
  if (all.length > 1) {
    lines.push(
      'cluster_formation.peer_discovery_backend = classic_config',
      ...all.map(({ id, name }) => `cluster_formation.classic_config.nodes.${id} = ${name}`),
    );
  }
  return [...lines, ...options.config, ''];
}

function tlsLines(
  { caPath, path }: ShownCertificate,
  tlsPort: number,
  { tls, certificateLogin }: ResolvedRabbitMQOptions,
): string[] {
  const lines = [
    `listeners.ssl.1 = ${LOOPBACK}:${tlsPort}`,
    `ssl_options.cacertfile = ${caPath}`,
    `ssl_options.certfile = ${path}`,
    `ssl_options.keyfile = ${path}`,
    `ssl_options.verify = ${tls === 'mutual' ? 'verify_peer' : 'verify_none'}`,
    `ssl_options.fail_if_no_peer_cert = ${tls === 'mutual'}`,
  ];
  if (!certificateLogin) return lines;
  const mechanisms = ['PLAIN', 'AMQPLAIN', 'EXTERNAL'].map(
    (name, at) => `auth_mechanisms.${at + 1} = ${name}`,
  );
  return [...lines, ...mechanisms, 'ssl_cert_login_from = common_name'];
}
