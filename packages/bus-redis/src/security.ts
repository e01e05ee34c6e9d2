import type { ConnectionOptions } from 'node:tls';
import {
  type CrossCheck,
  flag,
  object,
  pemText,
  type Rule,
  type RulesFor,
  type Secret,
  secretPemText,
  secretText,
  text,
} from '@omnibus/core/transport';
import type { RedisOptions } from 'ioredis';

/** How the connections are protected, and who the client is. */
export interface RedisSecurityOptions {
  /** ACL user. @default the server's default user */
  readonly username?: string;
  /** Of the user, or of the server (`requirepass`). Never printed. @default none */
  readonly password?: string | Secret;
  /** Speak TLS. @default false, or true with `rediss://` */
  readonly tls?: boolean;
  /** Certificates of the authorities to trust: PEM text, or the path of a PEM file. @default those of Node */
  readonly ca?: string;
  /** The client's certificate for mTLS: PEM text, or the path of a PEM file. @default none */
  readonly certificate?: string;
  /** The key of `certificate`: PEM text, or the path of a PEM file. Never printed. @default none */
  readonly key?: string | Secret;
  /** Opens `key` when it is encrypted. Never printed. @default none */
  readonly passphrase?: string | Secret;
  /** The name that the servers' certificates must carry. @default the host of each server's address */
  readonly servername?: string;
  /** Refuse servers whose certificate cannot be verified. False invites everybody in between. @default true */
  readonly rejectUnauthorized?: boolean;
}

/** `RedisSecurityOptions`, complete. */
export interface RedisSecuritySettings {
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly tls: boolean | undefined;
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: Secret | undefined;
  readonly passphrase: Secret | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

const rules: RulesFor<RedisSecuritySettings> = {
  username: text(),
  password: secretText(),
  tls: flag(),
  ca: pemText(),
  certificate: pemText(),
  key: secretPemText(),
  passphrase: secretText(),
  servername: text(),
  rejectUnauthorized: flag({ default: true }),
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
    paths: ['security.tls', 'url'],
    check: ({ security: { tls }, url }) =>
      tls === false && url?.protocol === 'rediss:'
        ? 'is false, and the url begins with rediss://; use redis:// for a connection without TLS'
        : undefined,
  },
  {
    paths: ['security.tls', 'security.ca', 'security.certificate', 'security.servername', 'url'],
    check: ({ security, url }, given) => {
      if (usesTls(security, url)) return undefined;
      const inert = ['ca', 'certificate', 'servername', 'rejectUnauthorized'].filter((name) =>
        given(`security.${name}`),
      );
      return inert.length === 0
        ? undefined
        : `is not true, so that security.${inert.join(', security.')} would have no effect; set it, or use rediss://`;
    },
  },
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
    ...(usesTls(security, url) ? { tls: tlsOptions(security) } : {}),
  };
}

function usesTls({ tls }: RedisSecuritySettings, url: URL | undefined): boolean {
  return tls ?? url?.protocol === 'rediss:';
}

function fromUrl(part: string | undefined): string | undefined {
  return part === undefined || part === '' ? undefined : decodeURIComponent(part);
}

function tlsOptions({
  ca,
  certificate,
  key,
  passphrase,
  servername,
  rejectUnauthorized,
}: RedisSecuritySettings): ConnectionOptions {
  return {
    rejectUnauthorized,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key: key.reveal() }),
    ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }),
    ...(servername === undefined ? {} : { servername }),
  };
}
