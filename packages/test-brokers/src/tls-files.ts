import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateAuthority, type CertificateRequest, createAuthority, newKeyPair } from './tls.js';
import { type ClientCertificate, type ClientCertificateKind, issueClientCertificate } from './tls-client.js';

/** What is right or wrong with a broker's certificate, as its clients see it. */
export type ServerCertificate = 'valid' | 'expired' | 'wrong-name' | 'unknown-authority';

/** The certificates that a broker can show. */
export const SERVER_CERTIFICATES: readonly ServerCertificate[] = [
  'valid',
  'expired',
  'wrong-name',
  'unknown-authority',
];

/** Where a broker finds the authority's certificate, and its own. */
export interface BrokerTlsFiles {
  readonly caPath: string;
  /** Key and certificate in one file. */
  readonly certificatePaths: Readonly<Record<ServerCertificate, string>>;
}

/** What clients of TLS listeners need; everything was made for this broker and is removed with it. */
export interface TlsMaterial extends ClientCertificate {
  /** The CA that signed the brokers' certificates and the client's, as PEM. */
  readonly ca: string;
  readonly caPath: string;
  /** The CA of the certificates `unknown-authority`, which no broker trusts, as PEM. */
  readonly unknownCa: string;
  readonly unknownCaPath: string;
  /**
   * Makes another client certificate, with a key of its own.
   *
   * @param kind @default 'valid'
   */
  issueClientCertificate(commonName: string, kind?: ClientCertificateKind): Promise<ClientCertificate>;
}

/** The TLS files of one broker: those of its nodes, and what its clients need. */
export interface TlsFiles {
  readonly broker: BrokerTlsFiles;
  readonly material: TlsMaterial;
}

/**
 * Makes two authorities, certificates of every kind for the brokers, and one for a client.
 *
 * @param clientName the common name in the client's certificate
 * @param brokerName the common name in the brokers' @default 'Omnibus test broker'
 */
export async function makeTlsFiles(
  parent: string,
  brokerHosts: readonly string[],
  clientName: string,
  brokerName = 'Omnibus test broker',
): Promise<TlsFiles> {
  const folder = join(parent, 'tls');
  const newKeys = [newKeyPair(), newKeyPair(), newKeyPair(), newKeyPair()] as const;
  const [caKey, unknownCaKey, brokerKey, clientKey] = await Promise.all(newKeys);
  const known = createAuthority('Omnibus test authority', caKey);
  const unknown = createAuthority('Omnibus unknown authority', unknownCaKey);
  await mkdir(folder, { recursive: true });
  const broker = brokerTlsFilesIn(folder);
  const unknownCaPath = join(folder, 'unknown-ca.pem');
  await writeFile(broker.caPath, known.certificate);
  await writeFile(unknownCaPath, unknown.certificate);
  const right = { commonName: brokerName, hosts: brokerHosts };
  const certificates = brokerCertificates(known, unknown, brokerKey.publicKey, right);
  for (const kind of SERVER_CERTIFICATES) {
    await writeFile(broker.certificatePaths[kind], `${brokerKey.key}${certificates[kind]}`);
  }
  const issuer = { known, unknown, folder };
  return {
    broker,
    material: {
      ca: known.certificate,
      caPath: broker.caPath,
      unknownCa: unknown.certificate,
      unknownCaPath,
      ...(await issueClientCertificate(issuer, clientName, 'valid', clientKey)),
      issueClientCertificate: (commonName, kind) => issueClientCertificate(issuer, commonName, kind),
    },
  };
}

/** What the files of a broker are called in that folder. */
export function brokerTlsFilesIn(folder: string): BrokerTlsFiles {
  const path = (kind: ServerCertificate): string => `${folder}/broker-${kind}.pem`;
  return {
    caPath: `${folder}/ca.pem`,
    certificatePaths: {
      valid: path('valid'),
      expired: path('expired'),
      'wrong-name': path('wrong-name'),
      'unknown-authority': path('unknown-authority'),
    },
  };
}

/** Every file that a broker may read. */
export function pathsOf({ caPath, certificatePaths }: BrokerTlsFiles): string[] {
  return [caPath, ...SERVER_CERTIFICATES.map((kind) => certificatePaths[kind])];
}

function brokerCertificates(
  known: CertificateAuthority,
  unknown: CertificateAuthority,
  publicKey: string,
  right: CertificateRequest,
): Record<ServerCertificate, string> {
  return {
    valid: known.certify(publicKey, right),
    expired: known.certify(publicKey, { ...right, expired: true }),
    'wrong-name': known.certify(publicKey, { ...right, hosts: ['elsewhere.invalid'] }),
    'unknown-authority': unknown.certify(publicKey, right),
  };
}
