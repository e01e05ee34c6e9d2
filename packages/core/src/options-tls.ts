import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, createSecureContext } from 'node:tls';

import { pemText, secretPemText } from './options-pem.js';
import {
  type CrossCheck,
  flag,
  object,
  oneOf,
  type Rule,
  type RulesFor,
  resolveWith,
  secretText,
  text,
} from './options-rules.js';
import type { Secret } from './secret.js';

/** How connections are encrypted, and by which certificates both sides know each other: `security.tls` of every bus. */
export interface TlsOptions {
  /** Certificates of the authorities to trust: PEM text or bytes, or the path of a PEM file. @default those of Node */
  readonly ca?: string | Uint8Array;
  /** The client's certificate for mTLS: PEM text or bytes, or the path of a PEM file. @default none */
  readonly cert?: string | Uint8Array;
  /** The key of `cert`: PEM text or bytes, or the path of a PEM file. Never printed. @default none */
  readonly key?: string | Uint8Array | Secret;
  /** Opens `key` when it is encrypted. Never printed. @default none */
  readonly passphrase?: string | Secret;
  /** The name that the servers' certificates must carry. @default the host of each server's address */
  readonly servername?: string;
  /** The oldest version of TLS that is spoken. @default 'TLSv1.2' (older ones: RFC 8996) */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /**
   * Refuse servers whose certificate cannot be verified. False lets everybody in between read and change everything, and
   * is a `warning` of the bus's status.
   * @default true
   */
  readonly rejectUnauthorized?: boolean;
}

/** `TlsOptions`, complete. */
export interface TlsSettings {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: Secret | undefined;
  readonly passphrase: Secret | undefined;
  readonly servername: string | undefined;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly rejectUnauthorized: boolean;
}

const rules: RulesFor<TlsSettings> = {
  ca: pemText(),
  cert: pemText(),
  key: secretPemText(),
  passphrase: secretText(),
  servername: text(),
  minVersion: oneOf(['TLSv1.2', 'TLSv1.3'], { default: 'TLSv1.2' }),
  rejectUnauthorized: flag({ default: true }),
};

/** The rule of `security.tls`: true is TLS with every default, false is none, left out is what the address says. */
export function tlsRule(): Rule<TlsSettings | false | undefined> {
  const details = object(rules);
  return {
    resolve: (value, place) => {
      if (value === undefined || value === false) return value;
      if (value === true) return DEFAULT_TLS;
      if (typeof value === 'object' && value !== null) return details.resolve(value, place);
      place.report(place.path, 'must be true, false, or an object with the details of TLS');
      return undefined;
    },
  };
}

/** TLS where the address asks for it and nothing else is said. */
export const DEFAULT_TLS: TlsSettings = resolveWith(rules, {});

type WithTls = { readonly security: { readonly tls: TlsSettings | false | undefined } };

/** What contradicts itself in `security.tls`, or cannot be used. */
export const tlsChecks: readonly CrossCheck<WithTls>[] = [
  checkOf(['cert', 'key'], ({ cert, key }) =>
    (cert === undefined) !== (key === undefined) ? 'and security.tls.key must be given together' : undefined,
  ),
  checkOf(['key', 'cert', 'passphrase'], ({ cert, key, passphrase }) =>
    cert === undefined || key === undefined
      ? undefined
      : wrongWith(
          { cert, key: key.reveal(), passphrase: passphrase?.reveal() },
          'see that it belongs to security.tls.cert, and that security.tls.passphrase opens it',
        ),
  ),
  checkOf(['ca'], ({ ca }) =>
    ca === undefined || holdsCertificates(ca)
      ? undefined
      : 'holds no certificate, or one that cannot be read',
  ),
  checkOf(['passphrase', 'key'], ({ passphrase, key }) =>
    passphrase !== undefined && key === undefined ? 'has no effect without security.tls.key' : undefined,
  ),
];

function checkOf(
  names: readonly (keyof TlsOptions)[],
  check: (tls: TlsSettings) => string | undefined,
): CrossCheck<WithTls> {
  return {
    paths: names.map((name) => `security.tls.${name}`),
    check: ({ security: { tls } }) => (tls ? check(tls) : undefined),
  };
}

/** `TlsSettings` for Node's `tls.connect`. Reveals what is secret. */
export function tlsConnectOptions(settings: TlsSettings): ConnectionOptions {
  const { ca, cert, key, passphrase, servername, minVersion, rejectUnauthorized } = settings;
  return {
    minVersion,
    rejectUnauthorized,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key: key.reveal() }),
    ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }),
    ...(servername === undefined ? {} : { servername }),
  };
}

/** What OpenSSL says about certificates and keys before they are used. It quotes neither. */
function wrongWith(
  material: Pick<ConnectionOptions, 'cert' | 'key' | 'passphrase'>,
  hint: string,
): string | undefined {
  try {
    createSecureContext(material);
    return undefined;
  } catch (error) {
    return `cannot be used (${(error as Error).message}); ${hint}`;
  }
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END[^-]*-----/g;

/** OpenSSL passes over what it cannot read, and then trusts nobody. */
function holdsCertificates(ca: string): boolean {
  const certificates = ca.match(CERTIFICATE) ?? [];
  try {
    return certificates.map((pem) => new X509Certificate(pem)).length > 0;
  } catch {
    return false;
  }
}
