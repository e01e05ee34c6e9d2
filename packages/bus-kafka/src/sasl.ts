import type { KafkaConfig, Mechanism } from 'kafkajs';
import oauthBearer from 'kafkajs/src/broker/saslAuthenticator/oauthBearer.js';
import plain from 'kafkajs/src/broker/saslAuthenticator/plain.js';
import scram256 from 'kafkajs/src/broker/saslAuthenticator/scram256.js';
import scram512 from 'kafkajs/src/broker/saslAuthenticator/scram512.js';
import type { KafkaCredentialsSettings, KafkaSaslMechanism, KafkaSecuritySettings } from './security.js';

/** kafkajs's own, by mechanism: they get the credentials of one login. */
const AUTHENTICATORS = {
  PLAIN: plain,
  'SCRAM-SHA-256': scram256,
  'SCRAM-SHA-512': scram512,
  OAUTHBEARER: oauthBearer,
};

/**
 * kafkajs keeps the credentials that it was made with. So a login is ours: it asks for the credentials, and kafkajs does
 * the rest with them. The only place where they are revealed.
 */
export function saslOf(
  { mechanism, credentials }: KafkaSecuritySettings,
  timeoutMs: number,
): NonNullable<KafkaConfig['sasl']> | undefined {
  if (mechanism === undefined || credentials === undefined) return undefined;
  const authenticationProvider: Mechanism['authenticationProvider'] = (login) => ({
    authenticate: async () => {
      const now = await credentials.ask(timeoutMs);
      await AUTHENTICATORS[mechanism](revealed(mechanism, now))(login).authenticate();
    },
  });
  return { mechanism, authenticationProvider };
}

function revealed(
  mechanism: KafkaSaslMechanism,
  { username, password, token }: KafkaCredentialsSettings,
): object {
  if (mechanism !== 'OAUTHBEARER') return { username, password: password?.reveal() };
  return { oauthBearerProvider: () => Promise.resolve({ value: token?.reveal() }) };
}
