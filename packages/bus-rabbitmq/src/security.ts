import {
  type CrossCheck,
  credentialsRule,
  DEFAULT_TLS,
  object,
  oneOf,
  type PasswordCredentials,
  type PasswordSettings,
  passwordRules,
  type Rule,
  type RulesFor,
  type SecurityOptions,
  type SecuritySettings,
  securityWarnings,
  type TlsSettings,
  tlsChecks,
  tlsMatchesAddress,
  tlsRule,
} from '@omnibus/core/transport';
import amqplib, { type SocketOptions } from 'amqplib';

/** How the connections are protected, and who the client is. TLS is on with `amqps://`. */
export interface RabbitMQSecurityOptions extends SecurityOptions<PasswordCredentials> {
  /**
   * How the client proves who it is. `PLAIN`: by `credentials`, else those of the URL, else as `guest`. `EXTERNAL`: by its
   * certificate; the brokers need the plugin `rabbitmq_auth_mechanism_ssl`.
   * @default 'PLAIN'
   */
  readonly mechanism?: 'PLAIN' | 'EXTERNAL';
}

/** `RabbitMQSecurityOptions`, complete. */
export interface RabbitMQSecuritySettings extends SecuritySettings<PasswordSettings> {
  readonly mechanism: 'PLAIN' | 'EXTERNAL';
}

const rules: RulesFor<RabbitMQSecuritySettings> = {
  mechanism: oneOf(['PLAIN', 'EXTERNAL'], { default: 'PLAIN' }),
  tls: tlsRule(),
  credentials: credentialsRule(passwordRules),
};

/** The rule of the option `security`. */
export const securityRule: Rule<RabbitMQSecuritySettings> = object(rules);

/** What security depends on. */
interface Addressed {
  readonly security: RabbitMQSecuritySettings;
  readonly urls: readonly URL[];
}

/** What contradicts itself in `security`. */
export const securityChecks: readonly CrossCheck<Addressed>[] = [
  {
    paths: ['security.credentials', 'urls'],
    check: ({ security: { credentials }, urls }) =>
      credentials !== undefined && urls.some(({ username, password }) => username !== '' || password !== '')
        ? 'and urls both say who the client is: give it once'
        : undefined,
  },
  {
    paths: ['security.mechanism', 'security.credentials', 'security.tls'],
    check: ({ security: { mechanism, credentials, tls } }) => {
      if (mechanism !== 'EXTERNAL') return undefined;
      if (credentials !== undefined)
        return "'EXTERNAL' takes the name from the certificate, so that security.credentials would have no effect";
      return tls && tls.cert !== undefined
        ? undefined
        : "'EXTERNAL' needs security.tls.cert and security.tls.key";
    },
  },
  ...tlsChecks,
  tlsMatchesAddress<Addressed>(['urls'], ({ urls }) => urls.some(({ protocol }) => protocol === 'amqps:'), {
    toUse: 'use amqps://',
    toRefuse: 'use amqp:// for a connection without TLS',
  }),
];

/** How the connection to this address is encrypted, if it is. */
export function tlsOf({ tls }: RabbitMQSecuritySettings, url: URL): TlsSettings | undefined {
  return url.protocol === 'amqps:' ? tls || DEFAULT_TLS : undefined;
}

/** What logs in now: by `security`, else by the URL, else RabbitMQ's `guest`. The only place where it is revealed. */
export async function loginOf(
  url: URL,
  { mechanism, credentials }: RabbitMQSecuritySettings,
  timeoutMs: number,
): Promise<NonNullable<SocketOptions['credentials']>> {
  if (mechanism === 'EXTERNAL') return amqplib.credentials.external();
  const now = await credentials?.ask(timeoutMs);
  if (now) return amqplib.credentials.plain(now.username, now.password.reveal());
  if (url.username === '' && url.password === '') return amqplib.credentials.plain('guest', 'guest');
  return amqplib.credentials.plain(decodeURIComponent(url.username), decodeURIComponent(url.password));
}

/** What the owner of the bus should know about it. */
export function warningsOf({ security, urls }: Addressed): readonly string[] {
  const plain = urls.filter((url) => !tlsOf(security, url));
  return securityWarnings({
    tls: plain.length === 0 && urls[0] ? tlsOf(security, urls[0]) : undefined,
    logsIn: security.mechanism === 'PLAIN',
    hosts: plain.map(({ hostname }) => hostname),
  });
}
