import { generateKeyPair, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import forge from 'node-forge';

/** A certificate and its key, both PEM. */
export interface CertificateAndKey {
  readonly certificate: string;
  /** PKCS #8, not encrypted. */
  readonly key: string;
}

/** An authority of our own that signs certificates for tests. */
export interface CertificateAuthority {
  /** Its certificate as PEM: what the other side is to trust. */
  readonly certificate: string;
  /** Makes a key and signs its certificate for these host names and addresses; none for a client. */
  issue(commonName: string, hosts: readonly string[]): Promise<CertificateAndKey>;
}

const VALID_DAYS = 30;
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** Makes an authority. Its key stays in memory. */
export async function createAuthority(commonName: string): Promise<CertificateAuthority> {
  const authority = await newKey();
  const subject = [{ name: 'commonName', value: commonName }];
  const sign = (certificate: forge.pki.Certificate): string => {
    certificate.sign(forge.pki.privateKeyFromPem(authority.key), forge.md.sha256.create());
    return forge.pki.certificateToPem(certificate);
  };
  const self = certificateFor(authority.publicKey, subject, subject);
  self.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
  return {
    certificate: sign(self),
    issue: async (name, hosts) => {
      const { key, publicKey } = await newKey();
      const certificate = certificateFor(publicKey, [{ name: 'commonName', value: name }], subject);
      if (hosts.length > 0) {
        certificate.setExtensions([{ name: 'subjectAltName', altNames: hosts.map(alternativeName) }]);
      }
      return { certificate: sign(certificate), key };
    },
  };
}

// Node makes the key, since a key made in JavaScript takes seconds.
async function newKey(): Promise<{ key: string; publicKey: string }> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { key: privateKey, publicKey };
}

function certificateFor(
  publicKey: string,
  subject: forge.pki.CertificateField[],
  issuer: forge.pki.CertificateField[],
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  // A leading zero keeps the number positive.
  certificate.serialNumber = `00${randomBytes(8).toString('hex')}`;
  certificate.validity.notBefore.setDate(certificate.validity.notBefore.getDate() - 1);
  certificate.validity.notAfter.setDate(certificate.validity.notAfter.getDate() + VALID_DAYS);
  certificate.setSubject(subject);
  certificate.setIssuer(issuer);
  return certificate;
}

function alternativeName(host: string): { type: number; ip?: string; value?: string } {
  return isIP(host) === 0 ? { type: DNS_NAME, value: host } : { type: IP_ADDRESS, ip: host };
}
