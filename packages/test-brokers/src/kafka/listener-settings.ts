import type { BrokerTlsFiles } from '../tls-files.js';
import {
  type ListenerOptions,
  type ListenerUser,
  mechanismsOf,
  type SaslMechanism,
  takesSignedTokens,
  usesTls,
} from './listeners.js';
import { allowKeysOf, signedTokenSettings } from './tokens.js';

/** The files that listeners may need, as the broker sees them. */
export interface ListenerFiles {
  readonly tls: BrokerTlsFiles | undefined;
  /** The keys of signed tokens. */
  readonly jwksPath: string;
}

const MODULES = 'org.apache.kafka.common.security';

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

/** Arguments of a broker's Java, for listeners that need some. */
export function listenerJavaArguments(
  listeners: readonly ListenerOptions[],
  { jwksPath }: ListenerFiles,
): string[] {
  return listeners.some(takesSignedTokens) ? [allowKeysOf(jwksPath)] : [];
}
