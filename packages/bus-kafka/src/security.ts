import {
  type CrossCheck,
  fn,
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
  tlsConnectOptions,
  tlsInUse,
  tlsRules,
} from '@omnibus/core/transport';
import type { KafkaConfig, SASLOptions } from 'kafkajs';

/** How the client proves who it is, beside a certificate. */
export type KafkaSaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER';

/** How the connections are protected. */
export interface KafkaSecurityOptions extends TlsOptions {
  /** What the brokers' listener speaks. @default 'PLAINTEXT' */
  readonly protocol?: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** Needed with SASL. @default none */
  readonly mechanism?: KafkaSaslMechanism;
  /** For PLAIN and SCRAM. @default none */
  readonly username?: string;
  /** For PLAIN and SCRAM. Never printed. @default none */
  readonly password?: string | Secret;
  /** For OAUTHBEARER: gives a token that is valid now; called for every connection, and again before it expires. @default none */
  readonly token?: () => Promise<string>;
}

/** `KafkaSecurityOptions`, complete. */
export interface KafkaSecuritySettings extends TlsSettings {
  readonly protocol: NonNullable<KafkaSecurityOptions['protocol']>;
  readonly mechanism: KafkaSaslMechanism | undefined;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly token: (() => Promise<string>) | undefined;
}

const rules: RulesFor<KafkaSecuritySettings> = {
  protocol: oneOf(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'], { default: 'PLAINTEXT' }),
  mechanism: oneOf(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']),
  username: text(),
  password: secretText(),
  token: fn<() => Promise<string>>(),
  ...tlsRules,
};

/** The rule of the option `security`. */
export const securityRule: Rule<KafkaSecuritySettings> = object(rules);

/** What contradicts itself in `security`. */
export const securityChecks: readonly CrossCheck<{ readonly security: KafkaSecuritySettings }>[] = [
  {
    paths: ['security.mechanism', 'security.protocol'],
    check: ({ security: { protocol, mechanism } }) => {
      if (usesSasl(protocol) && mechanism === undefined)
        return `must be given with security.protocol '${protocol}': PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER`;
      if (!usesSasl(protocol) && mechanism !== undefined)
        return `has no effect with security.protocol '${protocol}'; use SASL_SSL or SASL_PLAINTEXT`;
      return undefined;
    },
  },
  {
    paths: ['security.username', 'security.mechanism', 'security.password'],
    check: ({ security: { mechanism, username, password } }) => {
      const asks = mechanism !== undefined && mechanism !== 'OAUTHBEARER';
      if (asks && (username === undefined || password === undefined))
        return `and security.password must be given with security.mechanism '${mechanism}'`;
      if (!asks && (username !== undefined || password !== undefined))
        return 'and security.password have no effect without a mechanism that asks for them (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512)';
      return undefined;
    },
  },
  {
    paths: ['security.token', 'security.mechanism'],
    check: ({ security: { mechanism, token } }) => {
      if (mechanism === 'OAUTHBEARER' && token === undefined)
        return "must be given with security.mechanism 'OAUTHBEARER': a function that resolves to a token";
      if (mechanism !== 'OAUTHBEARER' && token !== undefined)
        return "has no effect unless security.mechanism is 'OAUTHBEARER'";
      return undefined;
    },
  },
  ...tlsChecks,
  tlsInUse(
    ['security.protocol'],
    ({ security }) => usesTls(security.protocol),
    (inert, { security }) => `'${security.protocol}' uses no TLS, so that ${inert}; use SSL or SASL_SSL`,
  ),
];

/** `security` as kafkajs wants it. The only place where secrets are revealed. */
export function clientSecurity(settings: KafkaSecuritySettings): Pick<KafkaConfig, 'ssl' | 'sasl'> {
  return {
    ...(usesTls(settings.protocol) ? { ssl: tlsConnectOptions(settings) } : {}),
    ...(settings.mechanism === undefined ? {} : { sasl: saslOptions(settings, settings.mechanism) }),
  };
}

function usesSasl(protocol: string): boolean {
  return protocol.startsWith('SASL_');
}

function usesTls(protocol: string): boolean {
  return protocol.endsWith('SSL');
}

function saslOptions(
  { username = '', password, token }: KafkaSecuritySettings,
  mechanism: KafkaSaslMechanism,
): SASLOptions {
  if (mechanism === 'OAUTHBEARER') {
    return {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => ({ value: (await token?.()) ?? '' }),
    };
  }
  const credentials = { username, password: password?.reveal() ?? '' };
  if (mechanism === 'PLAIN') return { mechanism: 'plain', ...credentials };
  return mechanism === 'SCRAM-SHA-256'
    ? { mechanism: 'scram-sha-256', ...credentials }
    : { mechanism: 'scram-sha-512', ...credentials };
}
