import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateAuthority, type KeyPair, newKeyPair } from './tls.js';

/** What is right or wrong with a client's certificate, as brokers see it. */
export type ClientCertificateKind = 'valid' | 'expired' | 'unknown-authority';

/** A client's certificate and key, as PEM and as files. */
export interface ClientCertificate {
  readonly clientCertificate: string;
  readonly clientCertificatePath: string;
  readonly clientKey: string;
  readonly clientKeyPath: string;
}

/** What makes client certificates. */
export interface ClientIssuer {
  readonly known: CertificateAuthority;
  readonly unknown: CertificateAuthority;
  /** Where the files go. */
  readonly folder: string;
}

/**
 * Makes a client certificate and its files.
 *
 * @param commonName whom it names, such as the user that a broker is to see
 * @param keyPair its key. @default a new one
 */
export async function issueClientCertificate(
  { known, unknown, folder }: ClientIssuer,
  commonName: string,
  kind: ClientCertificateKind = 'valid',
  keyPair?: KeyPair,
): Promise<ClientCertificate> {
  const { key, publicKey } = keyPair ?? (await newKeyPair());
  const authority = kind === 'unknown-authority' ? unknown : known;
  const certificate = authority.certify(publicKey, { commonName, expired: kind === 'expired' });
  const name = `client-${randomUUID()}`;
  const clientCertificatePath = join(folder, `${name}.pem`);
  const clientKeyPath = join(folder, `${name}-key.pem`);
  await writeFile(clientCertificatePath, certificate);
  await writeFile(clientKeyPath, key);
  return { clientCertificate: certificate, clientCertificatePath, clientKey: key, clientKeyPath };
}
