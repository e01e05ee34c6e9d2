import { type BrokerTlsFiles, SERVER_CERTIFICATES, type ServerCertificate } from '../tls-files.js';
import { allowKeysOf, signedTokenSettings } from './tokens.js';

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

/** The files that listeners may need, as the broker sees them. */
export interface ListenerFiles {
  readonly tls: BrokerTlsFiles | undefined;
  /** The keys of signed tokens. */
  readonly jwksPath: string;
}

/** Who may log in, with any mechanism. */
export interface ListenerUser {
  readonly username: string;
  readonly password: string;
}

const TAKEN_NAMES: readonly string[] = ['CLIENT', 'DIRECT', 'INTERNAL', 'CONTROLLER'];
const DEFAULT_MECHANISMS: readonly SaslMechanism[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'PLAIN'];
/** The user who may do everything where there are ACLs. */
export const ADMIN = 'omnibus-admin';

const MODULES = 'org.apache.kafka.common.security';

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

/** Arguments of a broker's Java, for listeners that need some. */
export function listenerJavaArguments(
  listeners: readonly ListenerOptions[],
  { jwksPath }: ListenerFiles,
): string[] {
  return listeners.some(takesSignedTokens) ? [allowKeysOf(jwksPath)] : [];
}

/** Everything that is wrong with these listeners and users. */
export function* listenerProblems(options: {
  readonly listeners: readonly ListenerOptions[];
  readonly users: readonly ListenerUser[];
}): Generator<string> {
  const names = options.listeners.map(({ name }) => name);
  for (const listener of options.listeners) {
    const { name, protocol, mechanisms = [] } = listener;
    if (!/^[A-Z][A-Z0-9_]*$/.test(name)) yield `listener name "${name}" must be upper case`;
    if (TAKEN_NAMES.includes(name)) yield `listener name "${name}" is taken (${TAKEN_NAMES.join(', ')})`;
    if (names.filter((other) => other === name).length > 1) yield `listener name "${name}" is given twice`;
    if (mechanisms.length > 0 && !protocol.startsWith('SASL_')) {
      yield `listener ${name} has SASL mechanisms, but its protocol is ${protocol}`;
    }
    yield* certificateProblems(listener);
    yield* tokenProblems(listener);
  }
  for (const { username, password } of options.users) {
    // These end up in files and arguments whose quoting differs from one to the next.
    if (!/^[\w.-]+$/.test(username)) yield `user name "${username}" may only hold letters, digits, _ . -`;
    if (!/^[\w.-]+$/.test(password)) yield `the password of ${username} may only hold letters, digits, _ . -`;
    if (username === ADMIN) yield `user name "${username}" is taken`;
  }
}

function* certificateProblems(listener: ListenerOptions): Generator<string> {
  const { name, protocol, clientCertificate = 'none', serverCertificate = 'valid' } = listener;
  if (!SERVER_CERTIFICATES.includes(serverCertificate)) {
    const known = SERVER_CERTIFICATES.join(', ');
    yield `listener ${name} has serverCertificate "${serverCertificate}", but that can be ${known}`;
  }
  if (usesTls(listener)) return;
  if (clientCertificate === 'required') {
    yield `listener ${name} asks for client certificates, but its protocol is ${protocol}`;
  }
  if (serverCertificate !== 'valid') {
    yield `listener ${name} has a serverCertificate, but its protocol is ${protocol}`;
  }
}

function* tokenProblems(listener: ListenerOptions): Generator<string> {
  const { name, tokens = 'unsecured' } = listener;
  if (!['unsecured', 'signed'].includes(tokens)) {
    yield `listener ${name} has tokens "${tokens}", but that can be unsecured or signed`;
  }
  if (tokens === 'signed' && !mechanismsOf(listener).includes('OAUTHBEARER')) {
    yield `listener ${name} has signed tokens, but not the mechanism OAUTHBEARER`;
  }
}

/** The broker settings of a listener beside the plain one. */
export function listenerSettings(
  listener: ListenerOptions,
  users: readonly ListenerUser[],
  { tls, jwksPath }: ListenerFiles,
): Record<string, string> {
  const prefix = `listener.name.${listener.name.toLowerCase()}`;
  const settings: Record<string, string> = {};
  if (usesTls(listener) && tls !== undefined) {
    settings[`${prefix}.ssl.keystore.type`] = 'PEM';
    settings[`${prefix}.ssl.keystore.location`] = tls.certificatePaths[listener.serverCertificate ?? 'valid'];
    settings[`${prefix}.ssl.truststore.type`] = 'PEM';
    settings[`${prefix}.ssl.truststore.location`] = tls.caPath;
    settings[`${prefix}.ssl.client.auth`] = listener.clientCertificate ?? 'none';
    // Who shows a certificate is the user that it names.
    settings[`${prefix}.ssl.principal.mapping.rules`] = 'RULE:^CN=(.*)$/$1/,DEFAULT';
  }
  const mechanisms = mechanismsOf(listener);
  if (mechanisms.length > 0) settings[`${prefix}.sasl.enabled.mechanisms`] = mechanisms.join(',');
  for (const mechanism of mechanisms) {
    settings[`${prefix}.${mechanism.toLowerCase()}.sasl.jaas.config`] = loginModule(mechanism, users);
  }
  if (takesSignedTokens(listener)) Object.assign(settings, signedTokenSettings(prefix, jwksPath));
  return settings;
}

function loginModule(mechanism: SaslMechanism, users: readonly ListenerUser[]): string {
  switch (mechanism) {
    case 'PLAIN': {
      const known = users.map(({ username, password }) => ` user_${username}="${password}"`).join('');
      return `${MODULES}.plain.PlainLoginModule required${known};`;
    }
    case 'OAUTHBEARER':
      return `${MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`;
    default:
      return `${MODULES}.scram.ScramLoginModule required;`;
  }
}

/** Arguments of `kafka-storage format` that create the users of SCRAM listeners. */
export function scramArguments(
  listeners: readonly ListenerOptions[],
  users: readonly ListenerUser[],
): string[] {
  const used = new Set(listeners.flatMap((listener) => mechanismsOf(listener)));
  return [...used]
    .filter((mechanism) => mechanism.startsWith('SCRAM-'))
    .flatMap((mechanism) =>
      users.flatMap(({ username, password }) => [
        '--add-scram',
        `${mechanism}=[name=${username},password=${password}]`,
      ]),
    );
}
