import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrokerTlsFiles, ServerCertificate } from '../tls-files.js';

/** The file with the certificate that nodes show, whose content can be changed. */
export interface ShownCertificate {
  readonly caPath: string;
  /** Key and certificate. */
  readonly path: string;
  change(certificate: ServerCertificate): Promise<void>;
}

/** Makes the file. */
export async function showCertificate(
  { caPath, certificatePaths }: BrokerTlsFiles,
  folder: string,
  certificate: ServerCertificate,
): Promise<ShownCertificate> {
  const path = join(folder, 'shown.pem');
  const change = async (to: ServerCertificate): Promise<void> => {
    // In one step, since a node may read it at any time.
    await copyFile(certificatePaths[to], `${path}.new`);
    await rename(`${path}.new`, path);
  };
  await change(certificate);
  return { caPath, path, change };
}
