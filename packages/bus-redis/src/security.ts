import {
  type CrossCheck,
  flag,
  object,
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
import type { RedisOptions } from 'ioredis';

/** How the connections are protected, and who the client is. */
export interface RedisSecurityOptions extends TlsOptions {
  /** ACL user. @default the server's default user */
  readonly username?: string;
  /** Of the user, or of the server (`requirepass`). Never printed. @default none */
  readonly password?: string | Secret;
  /** Speak TLS. @default false, or true with `rediss://` */
  readonly tls?: boolean;
}

/** `RedisSecurityOptions`, complete. */
export interface RedisSecuritySettings extends TlsSettings {
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly tls: boolean | undefined;
}

const rules: RulesFor<RedisSecuritySettings> = {
  username: text(),
  password: secretText(),
  tls: flag(),
  ...tlsRules,
};

/** The rule of the option `security`. */
export const securityRule: Rule<RedisSecuritySettings> = object(rules);

/** What contradicts itself in `security`. */
export const securityChecks: readonly CrossCheck<{
  readonly security: RedisSecuritySettings;
  readonly url: URL | undefined;
}>[] = [
  {
    paths: ['security.username', 'security.password'],
    check: ({ security: { username, password } }) =>
      username !== undefined && password === undefined
        ? 'must be given with security.password: a name alone does not log in'
        : undefined,
  },
  {
    paths: ['security.tls', 'url'],
    check: ({ security: { tls }, url }) =>
      tls === false && url?.protocol === 'rediss:'
        ? 'is false, and the url begins with rediss://; use redis:// for a connection without TLS'
        : undefined,
  },
  ...tlsChecks,
  tlsInUse(
    ['security.tls', 'url'],
    ({ security, url }) => usesTls(security, url),
    (inert) => `is not true, so that ${inert}; set it, or use rediss://`,
  ),
];

/** `security` as ioredis wants it. The only place where secrets are revealed. */
export function clientSecurity(
  security: RedisSecuritySettings,
  url: URL | undefined,
): Pick<RedisOptions, 'username' | 'password' | 'tls'> {
  const username = security.username ?? fromUrl(url?.username);
  const password = security.password?.reveal() ?? fromUrl(url?.password);
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(usesTls(security, url) ? { tls: tlsConnectOptions(security) } : {}),
  };
}

function usesTls({ tls }: RedisSecuritySettings, url: URL | undefined): boolean {
  return tls ?? url?.protocol === 'rediss:';
}

function fromUrl(part: string | undefined): string | undefined {
  return part === undefined || part === '' ? undefined : decodeURIComponent(part);
}
