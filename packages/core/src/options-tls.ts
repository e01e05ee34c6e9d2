import { type ConnectionOptions, createSecureContext } from 'node:tls';

import { pemText, secretPemText } from './options-pem.js';
import { type CrossCheck, flag, type RulesFor, secretText, text } from './options-rules.js';
import type { Secret } from './secret.js';

/** How connections are encrypted, and by which certificates both sides know each other: part of `security` of every bus. */
export interface TlsOptions {
  /** Certificates of the authorities to trust: PEM text or bytes, or the path of a PEM file. @default those of Node */
  readonly ca?: string | Uint8Array;
  /** The client's certificate for mTLS: PEM text or bytes, or the path of a PEM file. @default none */
  readonly certificate?: string | Uint8Array;
  /** The key of `certificate`: PEM text or bytes, or the path of a PEM file. Never printed. @default none */
  readonly key?: string | Uint8Array | Secret;
  /** Opens `key` when it is encrypted. Never printed. @default none */
  readonly passphrase?: string | Secret;
  /** The name that the servers' certificates must carry. @default the host of each server's address */
  readonly servername?: string;
  /** Refuse servers whose certificate cannot be verified. False invites everybody in between. @default true */
  readonly rejectUnauthorized?: boolean;
}

/** `TlsOptions`, complete. */
export interface TlsSettings {
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: Secret | undefined;
  readonly passphrase: Secret | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** The rules of `TlsOptions`. */
export const tlsRules: RulesFor<TlsSettings> = {
  ca: pemText(),
  certificate: pemText(),
  key: secretPemText(),
  passphrase: secretText(),
  servername: text(),
  rejectUnauthorized: flag({ default: true }),
};

/** What contradicts itself in them, or cannot be used, in an option named `security`. */
export const tlsChecks: readonly CrossCheck<{ readonly security: TlsSettings }>[] = [
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
];

const WITHOUT_EFFECT = ['ca', 'certificate', 'servername', 'rejectUnauthorized'];

/**
 * That none of them is given where connections use no TLS. `paths`: the option that turns TLS on comes first; the
 * problem is reported there. `how`: what it says now and what turns TLS on, around the names that have no effect.
 */
export function tlsInUse<T>(
  paths: readonly string[],
  usesTls: (options: T) => boolean,
  how: (inert: string, options: T) => string,
): CrossCheck<T> {
  const all = WITHOUT_EFFECT.map((name) => `security.${name}`);
  return {
    paths: [...paths, ...all],
    check: (options, given) => {
      const inert = usesTls(options) ? [] : all.filter((path) => given(path));
      return inert.length === 0 ? undefined : how(`${inert.join(', ')} would have no effect`, options);
    },
  };
}

/** `TlsSettings` for Node's `tls.connect`. Reveals what is secret. */
export function tlsConnectOptions(settings: TlsSettings): ConnectionOptions {
  const { ca, certificate, key, passphrase, servername, rejectUnauthorized } = settings;
  return {
    rejectUnauthorized,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key: key.reveal() }),
    ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }),
    ...(servername === undefined ? {} : { servername }),
  };
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
