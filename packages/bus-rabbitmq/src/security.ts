import {
  type CrossCheck,
  flag,
  object,
  oneOf,
  pemText,
  type Rule,
  type RulesFor,
  type Secret,
  secretPemText,
  secretText,
  text,
} from '@omnibus/core/transport';
import amqplib, { type SocketOptions } from 'amqplib';

/** How the connections are protected, and who the client is. TLS is on with `amqps://`. */
export interface RabbitMQSecurityOptions {
  /**
   * How the client proves who it is. `PLAIN`: by name and password. `EXTERNAL`: by its certificate; the brokers need the
   * plugin `rabbitmq_auth_mechanism_ssl`.
   * @default 'PLAIN'
   */
  readonly mechanism?: 'PLAIN' | 'EXTERNAL';
  /** For PLAIN. @default that of the URL, or `guest` */
  readonly username?: string;
  /** For PLAIN. Never printed. @default that of the URL, or `guest` */
  readonly password?: string | Secret;
  /** Certificates of the authorities to trust: PEM text, or the path of a PEM file. @default those of Node */
  readonly ca?: string;
  /** The client's certificate for mTLS: PEM text, or the path of a PEM file. @default none */
  readonly certificate?: string;
  /** The key of `certificate`: PEM text, or the path of a PEM file. Never printed. @default none */
  readonly key?: string | Secret;
  /** Opens `key` when it is encrypted. Never printed. @default none */
  readonly passphrase?: string | Secret;
  /** The name that the brokers' certificates must carry. @default the host of each URL */
  readonly servername?: string;
  /** Refuse brokers whose certificate cannot be verified. False invites everybody in between. @default true */
  readonly rejectUnauthorized?: boolean;
}

/** `RabbitMQSecurityOptions`, complete. */
export interface RabbitMQSecuritySettings {
  readonly mechanism: 'PLAIN' | 'EXTERNAL';
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: Secret | undefined;
  readonly passphrase: Secret | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

const rules: RulesFor<RabbitMQSecuritySettings> = {
  mechanism: oneOf(['PLAIN', 'EXTERNAL'], { default: 'PLAIN' }),
  username: text(),
  password: secretText(),
  ca: pemText(),
  certificate: pemText(),
  key: secretPemText(),
  passphrase: secretText(),
  servername: text(),
  rejectUnauthorized: flag({ default: true }),
};

/** The rule of the option `security`. */
export const securityRule: Rule<RabbitMQSecuritySettings> = object(rules);

/** What contradicts itself in `security`. */
export const securityChecks: readonly CrossCheck<{
  readonly security: RabbitMQSecuritySettings;
  readonly urls: readonly URL[];
}>[] = [
  {
    paths: ['security.username', 'security.password'],
    check: ({ security: { username, password } }) =>
      (username === undefined) !== (password === undefined)
        ? 'and security.password must be given together'
        : undefined,
  },
  {
    paths: ['security.mechanism', 'security.username', 'security.certificate'],
    check: ({ security: { mechanism, username, certificate } }) => {
      if (mechanism !== 'EXTERNAL') return undefined;
      if (username !== undefined)
        return "'EXTERNAL' takes the name from the certificate, so that security.username would have no effect";
      return certificate === undefined ? "'EXTERNAL' needs security.certificate and security.key" : undefined;
    },
  },
  {
    paths: ['security.certificate', 'security.key'],
    check: ({ security: { certificate, key } }) =>
      (certificate === undefined) !== (key === undefined)
        ? 'and security.key must be given together'
        : undefined,
  },
  {
    paths: ['security.passphrase', 'security.key'],
    check: ({ security: { passphrase, key } }) =>
      passphrase !== undefined && key === undefined ? 'has no effect without security.key' : undefined,
  },
  {
    paths: ['urls', 'security'],
    check: ({ urls }, given) => {
      if (urls.some(({ protocol }) => protocol === 'amqps:')) return undefined;
      const inert = ['ca', 'certificate', 'servername', 'rejectUnauthorized'].filter((name) =>
        given(`security.${name}`),
      );
      return inert.length === 0
        ? undefined
        : `uses no TLS, so that security.${inert.join(', security.')} would have no effect; use amqps://`;
    },
  },
];

/** `security` as amqplib wants it. With `credentialsOf` the only place where secrets are revealed. */
export function tlsOptions(security: RabbitMQSecuritySettings): SocketOptions {
  const { ca, certificate, key, passphrase, servername, rejectUnauthorized } = security;
  return {
    rejectUnauthorized,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key: key.reveal() }),
    ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }),
    ...(servername === undefined ? {} : { servername }),
  };
}

/** How the client says who it is: by `security`, else by the URL, else as RabbitMQ's `guest`. */
export function credentialsOf(
  url: URL,
  { mechanism, username, password }: RabbitMQSecuritySettings,
): NonNullable<SocketOptions['credentials']> {
  if (mechanism === 'EXTERNAL') return amqplib.credentials.external();
  if (username !== undefined) return amqplib.credentials.plain(username, password?.reveal() ?? '');
  if (url.username === '' && url.password === '') return amqplib.credentials.plain('guest', 'guest');
  return amqplib.credentials.plain(decodeURIComponent(url.username), decodeURIComponent(url.password));
}
