import { TestBrokerError } from '../errors.js';
import { type Report, reportToStandardError } from '../report.js';
import { SERVER_CERTIFICATES, type ServerCertificate } from '../tls-files.js';
import { inhabitantProblems, type RabbitMQUserOptions } from './rabbitmq-users.js';

/** Where a node with a configuration that is not ours is to listen, and what it may use. */
export interface RabbitMQPlace {
  readonly tlsPort: number;
  readonly caPath: string;
  /** The certificate, behind its key. */
  readonly certificatePath: string;
}

/** What RabbitMQ to start. Everything may be left out. */
export interface RabbitMQOptions {
  /** How many nodes, joined to one cluster. @default 1 */
  readonly nodes?: 1 | 3;
  /** Whether there is a second port with TLS; `mutual` asks clients for a certificate too. @default false */
  readonly tls?: boolean | 'mutual';
  /** What it shows to clients of that port; `tls.show` changes it while it runs. @default 'valid' */
  readonly serverCertificate?: ServerCertificate;
  /**
   * Whether a client may be the user that its certificate names (mechanism `EXTERNAL`); needs `tls: 'mutual'`.
   * @default false
   */
  readonly certificateLogin?: boolean;
  /** Who may log in beside `guest`. @default [] */
  readonly users?: readonly RabbitMQUserOptions[];
  /** Vhosts beside `/`. @default [] */
  readonly vhosts?: readonly string[];
  /** Whether the management plugin listens on each node; with counts that are a second old at most. @default false */
  readonly management?: boolean;
  /** Plugins to enable, such as `rabbitmq_auth_mechanism_ssl`. @default [] */
  readonly plugins?: readonly string[];
  /** Further lines of `rabbitmq.conf`, which win over ours. @default [] */
  readonly config?: readonly string[];
  /**
   * The whole of `rabbitmq.conf` in place of ours, to try one as it is written somewhere. One node, which needs `tls` and
   * listens there alone.
   * @default ours
   */
  readonly configuration?: (place: RabbitMQPlace) => string;
  /** How long a start may take until every node serves, without installing. @default 90000 */
  readonly startTimeoutMs?: number;
  /** Is told, line by line, what happens. @default writes to standard error */
  readonly report?: Report;
}

/** `RabbitMQOptions` with every default filled in. */
export type ResolvedRabbitMQOptions = Required<Omit<RabbitMQOptions, 'configuration'>> &
  Pick<RabbitMQOptions, 'configuration'>;

const OPTION_NAMES: readonly string[] = [
  'nodes',
  'tls',
  'serverCertificate',
  'certificateLogin',
  'users',
  'vhosts',
  'management',
  'plugins',
  'config',
  'configuration',
  'startTimeoutMs',
  'report',
];

/** Fills in the defaults; rejects what cannot be used, all problems in one `INVALID_OPTIONS`. */
export function resolveRabbitMQOptions(options: RabbitMQOptions): ResolvedRabbitMQOptions {
  const resolved: ResolvedRabbitMQOptions = {
    nodes: options.nodes ?? 1,
    tls: options.tls ?? false,
    serverCertificate: options.serverCertificate ?? 'valid',
    certificateLogin: options.certificateLogin ?? false,
    users: options.users ?? [],
    vhosts: options.vhosts ?? [],
    management: options.management ?? false,
    plugins: options.plugins ?? [],
    config: options.config ?? [],
    startTimeoutMs: options.startTimeoutMs ?? 90_000,
    report: options.report ?? reportToStandardError,
    ...(options.configuration === undefined ? {} : { configuration: options.configuration }),
  };
  const problems = [...problemsOf(options, resolved)];
  if (problems.length > 0)
    throw new TestBrokerError('INVALID_OPTIONS', `startRabbitMQ: ${problems.join('; ')}.`);
  return resolved;
}

function* problemsOf(given: RabbitMQOptions, resolved: ResolvedRabbitMQOptions): Generator<string> {
  for (const name of Object.keys(given)) {
    if (!OPTION_NAMES.includes(name)) yield `there is no option "${name}" (${OPTION_NAMES.join(', ')})`;
  }
  if (resolved.nodes !== 1 && resolved.nodes !== 3) yield 'nodes can be 1 or 3';
  if (resolved.configuration && (resolved.nodes !== 1 || !resolved.tls))
    yield 'configuration is for one node, with tls';
  if (resolved.configuration && (given.users || given.vhosts || given.config || given.management))
    yield 'configuration is the whole: users, vhosts, config and management would have no effect';
  yield* tlsProblems(resolved);
  yield* inhabitantProblems(resolved);
  if (!Number.isInteger(resolved.startTimeoutMs) || resolved.startTimeoutMs < 1)
    yield 'startTimeoutMs must be a positive integer';
}

function* tlsProblems({
  tls,
  serverCertificate,
  certificateLogin,
}: ResolvedRabbitMQOptions): Generator<string> {
  if (![true, false, 'mutual'].includes(tls)) yield "tls can be true, false or 'mutual'";
  if (!SERVER_CERTIFICATES.includes(serverCertificate)) {
    yield `serverCertificate is "${serverCertificate}", but can be ${SERVER_CERTIFICATES.join(', ')}`;
  }
  if (tls === false && serverCertificate !== 'valid') yield 'serverCertificate needs tls';
  if (typeof certificateLogin !== 'boolean') yield 'certificateLogin can be true or false';
  if (certificateLogin && tls !== 'mutual') yield "certificateLogin needs tls: 'mutual'";
}
