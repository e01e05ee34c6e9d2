import { type ConnectionOptions, createSecureContext } from 'node:tls';
import {
  type CrossCheck,
  flag,
  fn,
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
import type { KafkaConfig, SASLOptions } from 'kafkajs';

/** How the client proves who it is, beside a certificate. */
export type KafkaSaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER';

/** How the connections are protected. */
export interface KafkaSecurityOptions {
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
  /** Certificates of the authorities to trust: PEM text or bytes, or the path of a PEM file. @default those of Node */
  readonly ca?: string | Uint8Array;
  /** The client's certificate for mTLS: PEM text or bytes, or the path of a PEM file. @default none */
  readonly certificate?: string | Uint8Array;
  /** The key of `certificate`: PEM text or bytes, or the path of a PEM file. Never printed. @default none */
  readonly key?: string | Uint8Array | Secret;
  /** Opens `key` when it is encrypted. Never printed. @default none */
  readonly passphrase?: string | Secret;
  /** The name that the brokers' certificates must carry. @default the host of each broker's address */
  readonly servername?: string;
  /** Refuse brokers whose certificate cannot be verified. False invites everybody in between. @default true */
  readonly rejectUnauthorized?: boolean;
}

/** `KafkaSecurityOptions`, complete. */
export interface KafkaSecuritySettings {
  readonly protocol: NonNullable<KafkaSecurityOptions['protocol']>;
  readonly mechanism: KafkaSaslMechanism | undefined;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly token: (() => Promise<string>) | undefined;
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: Secret | undefined;
  readonly passphrase: Secret | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

const rules: RulesFor<KafkaSecuritySettings> = {
  protocol: oneOf(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'], { default: 'PLAINTEXT' }),
  mechanism: oneOf(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']),
  username: text(),
  password: secretText(),
  token: fn<() => Promise<string>>(),
  ca: pemText(),
  certificate: pemText(),
  key: secretPemText(),
  passphrase: secretText(),
  servername: text(),
  rejectUnauthorized: flag({ default: true }),
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
  {
    paths: ['security.certificate', 'security.key'],
    check: ({ security: { certificate, key } }) =>
      (certificate === undefined) !== (key === undefined)
        ? 'and security.key must be given together'
        : undefined,
  },
  {
    paths: ['security.key', 'security.certificate', 'security.passphrase'],
    check: ({ security: { certificate: cert, key, passphrase } }) =>
      cert === undefined || key === undefined
        ? undefined
        : wrongWith(
            { cert, key: key.reveal(), passphrase: passphrase?.reveal() },
            'see that it belongs to security.certificate, and that security.passphrase opens it',
          ),
  },
  {
    paths: ['security.ca'],
    check: ({ security: { ca } }) =>
      ca === undefined ? undefined : wrongWith({ ca }, 'it must hold certificates'),
  },
  {
    paths: ['security.passphrase', 'security.key'],
    check: ({ security: { passphrase, key } }) =>
      passphrase !== undefined && key === undefined ? 'has no effect without security.key' : undefined,
  },
  {
    paths: [
      'security.protocol',
      'security.ca',
      'security.certificate',
      'security.servername',
      'security.rejectUnauthorized',
    ],
    check: ({ security }, given) => {
      if (usesTls(security.protocol)) return undefined;
      const inert = ['ca', 'certificate', 'servername', 'rejectUnauthorized'].filter((name) =>
        given(`security.${name}`),
      );
      return inert.length === 0
        ? undefined
        : `'${security.protocol}' uses no TLS, so that security.${inert.join(', security.')} would have no effect; use SSL or SASL_SSL`;
    },
  },
];

/** `security` as kafkajs wants it. The only place where secrets are revealed. */
export function clientSecurity(settings: KafkaSecuritySettings): Pick<KafkaConfig, 'ssl' | 'sasl'> {
  return {
    ...(usesTls(settings.protocol) ? { ssl: tlsOptions(settings) } : {}),
    ...(settings.mechanism === undefined ? {} : { sasl: saslOptions(settings, settings.mechanism) }),
  };
}

function usesSasl(protocol: string): boolean {
  return protocol.startsWith('SASL_');
}

function usesTls(protocol: string): boolean {
  return protocol.endsWith('SSL');
}

function tlsOptions({
  ca,
  certificate,
  key,
  passphrase,
  servername,
  rejectUnauthorized,
}: KafkaSecuritySettings): ConnectionOptions {
  return {
    rejectUnauthorized,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key: key.reveal() }),
    ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }),
    ...(servername === undefined ? {} : { servername }),
  };
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

/** What OpenSSL says about certificates and keys before they are used. It quotes neither. */
function wrongWith(
  material: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase'>,
  hint: string,
): string | undefined {
  try {
    createSecureContext(material);
    return undefined;
  } catch (error) {
    return `cannot be used (${(error as Error).message}); ${hint}`;
  }
}
