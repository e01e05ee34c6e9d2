import type { CredentialsSource } from './credentials.js';
import type { CrossCheck } from './options-rules.js';
import type { TlsOptions, TlsSettings } from './options-tls.js';

/** How connections are protected and who the client is: what `security` has on every bus. `Credentials`: what logs in. */
export interface SecurityOptions<Credentials> {
  /** TLS: true for all defaults, or the details. False refuses it where the address asks for it. @default what the address says */
  readonly tls?: boolean | TlsOptions;
  /**
   * Who the client is: fixed, or a function that is asked at every connect and again at every reconnect, so that what was
   * rotated is used without a restart. Never printed.
   * @default none
   */
  readonly credentials?: Credentials | (() => Credentials | Promise<Credentials>);
}

/** `SecurityOptions`, complete. */
export interface SecuritySettings<Credentials> {
  readonly tls: TlsSettings | false | undefined;
  readonly credentials: CredentialsSource<Credentials> | undefined;
}

/**
 * That details of TLS are not given where the address uses none: they would have no effect. `paths`: what decides;
 * `how`: what to do.
 */
export function tlsMatchesAddress<T extends { readonly security: Pick<SecuritySettings<unknown>, 'tls'> }>(
  paths: readonly string[],
  saysTls: (options: T) => boolean | undefined,
  how: { readonly toUse: string; readonly toRefuse: string },
): CrossCheck<T> {
  return {
    paths: ['security.tls', ...paths],
    check: (options) => {
      const { tls } = options.security;
      const said = saysTls(options);
      if (tls === undefined || said === undefined) return undefined;
      if (tls === false) return said ? `is false, and the address asks for TLS; ${how.toRefuse}` : undefined;
      return said ? undefined : `would have no effect: the address is one without TLS; ${how.toUse}`;
    },
  };
}

/** How the connections of a bus really are. */
export interface EffectiveSecurity {
  /** Undefined: not encrypted. */
  readonly tls: TlsSettings | undefined;
  /** Whether something is sent that logs in. */
  readonly logsIn: boolean;
  /** Hosts that are connected to. */
  readonly hosts: readonly string[];
}

/** What the owner of the bus should know about it. To be told once, as warnings of the status. */
export function securityWarnings({ tls, logsIn, hosts }: EffectiveSecurity): readonly string[] {
  if (tls?.rejectUnauthorized === false)
    return [
      'security.tls.rejectUnauthorized is false: whoever stands between this process and the broker can read and change everything. Give the authority in security.tls.ca instead',
    ];
  const far = hosts.filter((host) => !isLoopback(host));
  if (tls === undefined && logsIn && far.length > 0)
    return [
      `Credentials are sent without TLS to ${far.join(', ')}: whoever is on the way can read them. Use security.tls`,
    ];
  return [];
}

const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|::1)$/i;

function isLoopback(host: string): boolean {
  return LOOPBACK.test(host.replace(/^\[|\]$/g, ''));
}
