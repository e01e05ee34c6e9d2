import type { ServerCertificate } from '../tls-files.js';

/** What a listener speaks. */
export type ListenerProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

/** How clients log in. */
export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER';

/** A listener beside the plain one. */
export interface ListenerOptions {
  /** Upper case letters, digits and `_`; not `CLIENT`, `DIRECT`, `INTERNAL` or `CONTROLLER`, which are taken. */
  readonly name: string;
  readonly protocol: ListenerProtocol;
  /** What is accepted with SASL. @default ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'PLAIN'] with SASL, else [] */
  readonly mechanisms?: readonly SaslMechanism[];
  /** Whether clients must show a certificate of the CA (mTLS). @default 'none' */
  readonly clientCertificate?: 'none' | 'required';
  /** The certificate that the broker shows there. @default 'valid' */
  readonly serverCertificate?: ServerCertificate;
  /**
   * What `OAUTHBEARER` takes: tokens without a signature, as Kafka offers for development (`unsecuredToken`
   * makes them), or those that `tokens` of the running Kafka signs. @default 'unsecured'
   */
  readonly tokens?: 'unsecured' | 'signed';
}

/** Who may log in, with any mechanism. */
export interface ListenerUser {
  readonly username: string;
  readonly password: string;
}

const DEFAULT_MECHANISMS: readonly SaslMechanism[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'PLAIN'];
/** The user who may do everything where there are ACLs. */
export const ADMIN = 'omnibus-admin';

/** What the listener accepts. */
export function mechanismsOf({ protocol, mechanisms }: ListenerOptions): readonly SaslMechanism[] {
  return protocol.startsWith('SASL_') ? (mechanisms ?? DEFAULT_MECHANISMS) : [];
}

/** Whether the listener encrypts. */
export function usesTls({ protocol }: ListenerOptions): boolean {
  return protocol === 'SSL' || protocol === 'SASL_SSL';
}

/** Whether the listener takes signed tokens only. */
export function takesSignedTokens({ tokens }: ListenerOptions): boolean {
  return tokens === 'signed';
}
