import {
  type CredentialsSource,
  type CrossCheck,
  credentialsRule,
  DEFAULT_TLS,
  object,
  type PasswordCredentials,
  type PasswordSettings,
  passwordRules,
  type Rule,
  type RulesFor,
  Secret,
  type SecurityOptions,
  type SecuritySettings,
  securityWarnings,
  type TlsSettings,
  text,
  tlsChecks,
  tlsMatchesAddress,
  tlsRule,
} from '@omnibus/core/transport';
import type { Address } from './addresses.js';

/** What logs in. */
export interface RedisCredentials extends Omit<PasswordCredentials, 'username'> {
  /** ACL user. @default 'default', which `requirepass` is the password of */
  readonly username?: string;
}

/** How the connections are protected, and who the client is. */
export interface RedisSecurityOptions extends SecurityOptions<RedisCredentials> {}

/** `RedisSecurityOptions`, complete. */
export interface RedisSecuritySettings extends SecuritySettings<PasswordSettings> {}

/** The rule of what logs in. */
export const redisCredentialsRule: Rule<CredentialsSource<PasswordSettings> | undefined> =
  credentialsRule<PasswordSettings>({ ...passwordRules, username: text({ default: 'default' }) });

const rules: RulesFor<RedisSecuritySettings> = { tls: tlsRule(), credentials: redisCredentialsRule };

/** The rule of the option `security`. */
export const securityRule: Rule<RedisSecuritySettings> = object(rules);

/** What security depends on. */
interface Addressed {
  readonly security: RedisSecuritySettings;
  readonly url: URL | undefined;
}

/** What contradicts itself in `security`. */
export const securityChecks: readonly CrossCheck<Addressed>[] = [
  {
    paths: ['security.credentials', 'url'],
    check: ({ security: { credentials }, url }) =>
      credentials !== undefined && (url?.username || url?.password)
        ? 'and url both say who the client is: give it once'
        : undefined,
  },
  ...tlsChecks,
  tlsMatchesAddress<Addressed>(['url'], ({ url }) => (url ? url.protocol === 'rediss:' : undefined), {
    toUse: 'use rediss://',
    toRefuse: 'use redis:// for a connection without TLS',
  }),
];

/** How the connections are encrypted, if they are. */
export function tlsOf({ tls }: RedisSecuritySettings, url: URL | undefined): TlsSettings | undefined {
  return tls || (url?.protocol === 'rediss:' ? DEFAULT_TLS : undefined);
}

/** What logs in, of `security` or of the address. */
export function credentialsOf(
  { credentials }: RedisSecuritySettings,
  url: URL | undefined,
): CredentialsSource<PasswordSettings> | undefined {
  if (credentials !== undefined || !(url?.username || url?.password)) return credentials;
  const fixed = {
    username: decodeURIComponent(url.username) || 'default',
    password: new Secret(decodeURIComponent(url.password)),
  };
  return { rotates: false, ask: () => Promise.resolve(fixed) };
}

/** What the owner of the bus should know about it. */
export function warningsOf(settings: Connected): readonly string[] {
  const { security, url, sentinel, cluster } = settings;
  const nodes = [...(sentinel?.nodes ?? []), ...(cluster?.nodes ?? [])].map(({ host }) => host);
  return securityWarnings({
    tls: tlsOf(security, url),
    logsIn: credentialsOf(security, url) !== undefined || sentinel?.credentials !== undefined,
    hosts: url ? [url.hostname, ...nodes] : nodes,
  });
}

/** What connects, and to where. */
interface Connected extends Addressed {
  readonly sentinel: { readonly nodes: readonly Address[]; readonly credentials: unknown } | undefined;
  readonly cluster: { readonly nodes: readonly Address[] } | undefined;
}
