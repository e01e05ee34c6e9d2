import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { newKeyPair } from '../tls.js';

/** What a token is to say. */
export interface TokenClaims {
  /** The user. */
  readonly subject: string;
  /** How long it holds from now on; negative for one whose time is over. @default 600 */
  readonly lifetimeSeconds?: number;
}

/** What a signed token is to say. */
export interface SignedTokenClaims extends TokenClaims {
  /** @default the one that the broker expects */
  readonly issuer?: string;
  /** @default the one that the broker expects */
  readonly audience?: string;
  /** Whether it is signed with another key than the one it names. @default false */
  readonly forged?: boolean;
}

/** Signs the tokens that a Kafka takes. */
export interface TokenIssuer {
  /** What the broker expects as `iss`. */
  readonly issuer: string;
  /** What the broker expects as `aud`. */
  readonly audience: string;
  /** Makes a token (a JWT with RS256). */
  sign(claims: SignedTokenClaims): string;
}

const ISSUER = 'https://tokens.omnibus.invalid';
const AUDIENCE = 'omnibus-kafka';
const KEY_ID = 'omnibus-test-key';
const VALIDATOR = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler';

/** Makes a key that signs tokens, and its public half as the broker reads it (JWKS). */
export async function createTokenIssuer(): Promise<{ readonly tokens: TokenIssuer; readonly jwks: string }> {
  const [own, other] = await Promise.all([newKeyPair(), newKeyPair()]);
  const jwk = {
    ...createPublicKey(own.publicKey).export({ format: 'jwk' }),
    kid: KEY_ID,
    alg: 'RS256',
    use: 'sig',
  };
  const tokens: TokenIssuer = {
    issuer: ISSUER,
    audience: AUDIENCE,
    sign: ({ issuer = ISSUER, audience = AUDIENCE, forged = false, ...claims }) =>
      signed({ ...timed(claims), iss: issuer, aud: audience }, (forged ? other : own).key),
  };
  return { tokens, jwks: JSON.stringify({ keys: [jwk] }) };
}

/** Makes a token without a signature. */
export function unsecuredToken(claims: TokenClaims): string {
  return `${part({ alg: 'none' })}.${part(timed(claims))}.`;
}

/** The broker settings of a listener that takes signed tokens only. */
export function signedTokenSettings(prefix: string, jwksPath: string): Record<string, string> {
  return {
    [`${prefix}.oauthbearer.sasl.server.callback.handler.class`]: VALIDATOR,
    [`${prefix}.oauthbearer.sasl.oauthbearer.jwks.endpoint.url`]: urlOf(jwksPath),
    [`${prefix}.oauthbearer.sasl.oauthbearer.expected.issuer`]: ISSUER,
    [`${prefix}.oauthbearer.sasl.oauthbearer.expected.audience`]: AUDIENCE,
  };
}

/** The argument of Java without which Kafka reads no keys from there. */
export function allowKeysOf(jwksPath: string): string {
  return `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${urlOf(jwksPath)}`;
}

function urlOf(path: string): string {
  return `file://${path}`;
}

function signed(claims: object, key: string): string {
  const content = `${part({ alg: 'RS256', typ: 'JWT', kid: KEY_ID })}.${part(claims)}`;
  return `${content}.${sign('sha256', Buffer.from(content), createPrivateKey(key)).toString('base64url')}`;
}

function timed({ subject, lifetimeSeconds = 600 }: TokenClaims): object {
  const now = Math.floor(Date.now() / 1_000);
  // Issued before its end, also where that is past.
  return { sub: subject, iat: now + Math.min(0, lifetimeSeconds - 600), exp: now + lifetimeSeconds };
}

function part(content: object): string {
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}
