import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTlsFiles, type TlsFiles } from '../tls-files.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import { takesSignedTokens, usesTls } from './listeners.js';
import { createTokenIssuer, type TokenIssuer } from './tokens.js';

/** What is made for one Kafka and removed with it. */
export interface KafkaSecrets {
  /** Present when a listener uses TLS. */
  readonly tls: TlsFiles | undefined;
  /** Present when a listener takes signed tokens. */
  readonly tokens: TokenIssuer | undefined;
  /** Where the keys of these tokens are then, on this machine. */
  readonly jwksPath: string;
}

/** Makes what the listeners ask for, and nothing else. */
export async function makeKafkaSecrets(
  { listeners, users, written }: ResolvedKafkaOptions,
  folder: string,
  brokerHosts: readonly string[],
): Promise<KafkaSecrets> {
  const jwksPath = join(folder, 'jwks.json');
  const clientName = users[0]?.username ?? 'client';
  const tls = listeners.some(usesTls)
    ? await makeTlsFiles(folder, brokerHosts, clientName, written?.commonName)
    : undefined;
  if (!listeners.some(takesSignedTokens)) return { tls, tokens: undefined, jwksPath };
  const { tokens, jwks } = await createTokenIssuer();
  await writeFile(jwksPath, jwks);
  return { tls, tokens, jwksPath };
}
