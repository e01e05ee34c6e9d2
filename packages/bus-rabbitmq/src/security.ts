import {
  type CrossCheck,
  object,
  oneOf,
  type Rule,
  type RulesFor,
  type Secret,
  secretText,
  type TlsOptions,
  type TlsSettings,
  text,
  tlsChecks,
  tlsInUse,
  tlsRules,
} from '@omnibus/core/transport';
import amqplib, { type SocketOptions } from 'amqplib';

/** How the connections are protected, and who the client is. TLS is on with `amqps://`. */
export interface RabbitMQSecurityOptions extends TlsOptions {
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
}

/** `RabbitMQSecurityOptions`, complete. */
export interface RabbitMQSecuritySettings extends TlsSettings {
  readonly mechanism: 'PLAIN' | 'EXTERNAL';
  readonly username: string | undefined;
  readonly password: Secret | undefined;
}

const rules: RulesFor<RabbitMQSecuritySettings> = {
  mechanism: oneOf(['PLAIN', 'EXTERNAL'], { default: 'PLAIN' }),
  username: text(),
  password: secretText(),
  ...tlsRules,
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
  ...tlsChecks,
  tlsInUse(
    ['urls'],
    ({ urls }) => urls.some(({ protocol }) => protocol === 'amqps:'),
    (inert) => `uses no TLS, so that ${inert}; use amqps://`,
  ),
];

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
