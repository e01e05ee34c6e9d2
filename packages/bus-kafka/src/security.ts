import {
  type CrossCheck,
  credentialsRule,
  DEFAULT_TLS,
  object,
  oneOf,
  type PasswordCredentials,
  passwordRules,
  type Rule,
  type RulesFor,
  required,
  type Secret,
  type SecurityOptions,
  type SecuritySettings,
  type Siblings,
  secretText,
  securityWarnings,
  type TlsSettings,
  tlsChecks,
  tlsRule,
} from '@omnibus/core/transport';

/** What the brokers' listener speaks. */
export type KafkaSecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

/** How the client proves who it is, beside a certificate. */
export type KafkaSaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER';

/** For OAUTHBEARER: a token that is valid now. */
export interface KafkaToken {
  /** Never printed. */
  readonly token: string | Secret;
}

/** What logs in: `PasswordCredentials` for PLAIN and SCRAM, `KafkaToken` for OAUTHBEARER. */
export type KafkaCredentials = PasswordCredentials | KafkaToken;

/** How the connections are protected, and who the client is. */
export interface KafkaSecurityOptions extends SecurityOptions<KafkaCredentials> {
  /** What the brokers' listener speaks. @default what `tls` and `credentials` say: 'PLAINTEXT' without both */
  readonly protocol?: KafkaSecurityProtocol;
  /** How `credentials` are used. Needed with them. @default none */
  readonly mechanism?: KafkaSaslMechanism;
}

/** `KafkaCredentials`, complete: of the two, the mechanism asks for one. */
export interface KafkaCredentialsSettings {
  readonly username?: string;
  readonly password?: Secret;
  readonly token?: Secret;
}

/** `KafkaSecurityOptions`, complete. */
export interface KafkaSecuritySettings extends SecuritySettings<KafkaCredentialsSettings> {
  readonly protocol: KafkaSecurityProtocol;
  readonly mechanism: KafkaSaslMechanism | undefined;
}

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;

const byPassword = credentialsRule<KafkaCredentialsSettings>(
  passwordRules as RulesFor<KafkaCredentialsSettings>,
);
const byToken = credentialsRule<KafkaCredentialsSettings>({
  token: required(secretText()),
} as RulesFor<KafkaCredentialsSettings>);

const rules: RulesFor<KafkaSecuritySettings> = {
  protocol: oneOf(PROTOCOLS, { default: protocolOf }),
  mechanism: oneOf(MECHANISMS),
  tls: tlsRule(),
  credentials: {
    resolve: (value, place) =>
      (place.siblings.mechanism === 'OAUTHBEARER' ? byToken : byPassword).resolve(value, place),
  },
};

/** The rule of the option `security`. */
export const securityRule: Rule<KafkaSecuritySettings> = object(rules);

/** The rules of the names that eventsource-py has for `security.protocol` and `security.mechanism`. */
export const predecessorRules: RulesFor<PredecessorSecurity> = {
  securityProtocol: oneOf(PROTOCOLS),
  saslMechanism: oneOf(MECHANISMS),
};

/** Other names for the same. */
export interface PredecessorSecurity {
  readonly securityProtocol: KafkaSecurityProtocol | undefined;
  readonly saslMechanism: KafkaSaslMechanism | undefined;
}

/** Options with the predecessor's names put where they belong; what is wrong with them is told of `security`, too. */
export function withPredecessorNames<T extends { readonly security?: unknown }>(
  options: T & Partial<Record<keyof PredecessorSecurity, unknown>>,
): T {
  const { securityProtocol: protocol, saslMechanism: mechanism, security } = options;
  if (protocol === undefined && mechanism === undefined) return options;
  const given = typeof security === 'object' ? security : {};
  return { ...options, security: { protocol, mechanism, ...dropUndefined(given) } };
}

/** That one thing is not said by two names. */
export function predecessorChecks({
  security,
}: {
  readonly security?: KafkaSecurityOptions;
}): readonly CrossCheck<PredecessorSecurity>[] {
  const twice = (
    old: keyof PredecessorSecurity,
    name: 'protocol' | 'mechanism',
  ): CrossCheck<PredecessorSecurity> => ({
    paths: [old],
    check: (options) =>
      options[old] !== undefined && security?.[name] !== undefined
        ? `and security.${name} are two names of one option: give one`
        : undefined,
  });
  return [twice('securityProtocol', 'protocol'), twice('saslMechanism', 'mechanism')];
}

function dropUndefined(given: object | null): object {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined));
}

/** What contradicts itself in `security`. */
export const securityChecks: readonly CrossCheck<{ readonly security: KafkaSecuritySettings }>[] = [
  {
    paths: ['security.protocol', 'security.tls'],
    check: ({ security: { protocol, tls } }) => {
      if (usesTls(protocol) && tls === false) return `'${protocol}' uses TLS, and security.tls is false`;
      return !usesTls(protocol) && tls
        ? `'${protocol}' uses no TLS, so that security.tls would have no effect; use SSL or SASL_SSL, or leave it out`
        : undefined;
    },
  },
  {
    paths: ['security.mechanism', 'security.protocol'],
    check: ({ security: { protocol, mechanism } }) => {
      if (usesSasl(protocol) && mechanism === undefined)
        return `must be given with security.protocol '${protocol}': ${MECHANISMS.join(', ')}`;
      return !usesSasl(protocol) && mechanism !== undefined
        ? `has no effect with security.protocol '${protocol}'; use SASL_SSL or SASL_PLAINTEXT`
        : undefined;
    },
  },
  {
    paths: ['security.credentials', 'security.mechanism', 'security.protocol'],
    check: ({ security: { protocol, mechanism, credentials } }) => {
      if (mechanism !== undefined && credentials === undefined)
        return `must be given with security.mechanism '${mechanism}': ${mechanism === 'OAUTHBEARER' ? 'a function that resolves to { token }' : '{ username, password }, or a function that gives them'}`;
      return !usesSasl(protocol) && mechanism === undefined && credentials !== undefined
        ? `has no effect with security.protocol '${protocol}'; use SASL_SSL or SASL_PLAINTEXT`
        : undefined;
    },
  },
  ...tlsChecks,
];

/** How the connections are encrypted, if they are. */
export function tlsOf({ protocol, tls }: KafkaSecuritySettings): TlsSettings | undefined {
  return usesTls(protocol) ? tls || DEFAULT_TLS : undefined;
}

/** What the owner of the bus should know about it. */
export function warningsOf({ security, brokers }: Connected): readonly string[] {
  const hosts = brokers.map((address) => address.replace(/:\d+$/, ''));
  return securityWarnings({ tls: tlsOf(security), logsIn: usesSasl(security.protocol), hosts });
}

/** What connects, and to where. */
interface Connected {
  readonly security: KafkaSecuritySettings;
  readonly brokers: readonly string[];
}

function protocolOf({ tls, credentials, mechanism }: Siblings): KafkaSecurityProtocol {
  const sasl = credentials !== undefined || mechanism !== undefined;
  if (tls) return sasl ? 'SASL_SSL' : 'SSL';
  return sasl ? 'SASL_PLAINTEXT' : 'PLAINTEXT';
}

function usesSasl(protocol: string): boolean {
  return protocol.startsWith('SASL_');
}

function usesTls(protocol: string): boolean {
  return protocol.endsWith('SSL');
}
