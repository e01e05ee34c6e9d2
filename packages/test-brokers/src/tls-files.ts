import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority } from './tls.js';

/** Where a broker finds the authority's certificate, and its own key and certificate in one file. */
export interface BrokerTlsFiles {
  readonly caPath: string;
  readonly brokerPath: string;
}

/** What clients of TLS listeners need; everything was made for this broker and is removed with it. */
export interface TlsMaterial {
  /** The CA that signed the brokers' certificates, as PEM. */
  readonly ca: string;
  readonly caPath: string;
  /** A client certificate of the same CA for mTLS, as PEM. */
  readonly clientCertificate: string;
  readonly clientCertificatePath: string;
  /** Its key, as PEM. */
  readonly clientKey: string;
  readonly clientKeyPath: string;
}

/** The TLS files of one broker: those of its nodes, and what its clients need. */
export interface TlsFiles {
  readonly broker: BrokerTlsFiles;
  readonly material: TlsMaterial;
}

/**
 * Makes an authority, and certificates for the brokers and for a client.
 *
 * @param clientName the common name in the client's certificate
 */
export async function makeTlsFiles(
  parent: string,
  brokerHosts: readonly string[],
  clientName: string,
): Promise<TlsFiles> {
  const folder = join(parent, 'tls');
  await mkdir(folder, { recursive: true });
  const authority = await createAuthority('Omnibus test authority');
  const [broker, client] = await Promise.all([
    authority.issue('Omnibus test broker', brokerHosts),
    authority.issue(clientName, []),
  ]);
  const write = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content, { mode: 0o644 });
    return join(folder, name);
  };
  const caPath = await write('ca.pem', authority.certificate);
  const brokerPath = await write('broker.pem', `${broker.key}${broker.certificate}`);
  return {
    broker: { caPath, brokerPath },
    material: {
      ca: authority.certificate,
      caPath,
      clientCertificate: client.certificate,
      clientCertificatePath: await write('client.pem', client.certificate),
      clientKey: client.key,
      clientKeyPath: await write('client-key.pem', client.key),
    },
  };
}
