import { createPrivateKey, generateKeyPair, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import forge from 'node-forge';

/** A key, both halves PEM. */
export interface KeyPair {
  /** PKCS #8, not encrypted. */
  readonly key: string;
  readonly publicKey: string;
}

/** What a certificate is to say. */
export interface CertificateRequest {
  readonly commonName: string;
  /** Host names and addresses; none for a client. @default [] */
  readonly hosts?: readonly string[];
  /** Whether its time is over. @default false */
  readonly expired?: boolean;
}

/** An authority of our own that signs certificates for tests. */
export interface CertificateAuthority {
  /** Its certificate as PEM: what the other side is to trust. */
  readonly certificate: string;
  /** Signs a certificate for a key; PEM. */
  certify(publicKey: string, request: CertificateRequest): string;
}

const DAY_MS = 86_400_000;
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** Makes an authority of a key, which stays in memory. */
export function createAuthority(commonName: string, { key, publicKey }: KeyPair): CertificateAuthority {
  const issue = (request: CertificateRequest, ofKey: string, extensions: object[]): string => {
    const certificate = certificateFor(ofKey, request, commonName);
    certificate.setExtensions(extensions);
    certificate.sign(signer(certificate, key), forge.md.sha256.create());
    return forge.pki.certificateToPem(certificate);
  };
  return {
    certificate: issue({ commonName }, publicKey, [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ]),
    certify: (ofKey, request) => {
      const altNames = (request.hosts ?? []).map(alternativeName);
      return issue(request, ofKey, altNames.length > 0 ? [{ name: 'subjectAltName', altNames }] : []);
    },
  };
}

/** Makes a key. Node does it, since one that is made in JavaScript takes seconds. */
export async function newKeyPair(): Promise<KeyPair> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { key: privateKey, publicKey };
}

function certificateFor(
  publicKey: string,
  { commonName, expired = false }: CertificateRequest,
  issuer: string,
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = newSerialNumber();
  const [fromDays, toDays] = expired ? [-30, -1] : [-1, 30];
  certificate.validity.notBefore = new Date(Date.now() + fromDays * DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + toDays * DAY_MS);
  certificate.setSubject([{ name: 'commonName', value: commonName }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  return certificate;
}

/** Signs with Node where `forge` would sign in JavaScript, which takes a hundred times as long. */
function signer(certificate: forge.pki.Certificate, key: string): forge.pki.rsa.PrivateKey {
  const node = {
    sign: (): string => {
      const toBeSigned = forge.asn1.toDer(certificate.tbsCertificate).getBytes();
      return sign('sha256', Buffer.from(toBeSigned, 'binary'), createPrivateKey(key)).toString('binary');
    },
  };
  return node as unknown as forge.pki.rsa.PrivateKey;
}

function alternativeName(host: string): { type: number; ip?: string; value?: string } {
  return isIP(host) === 0 ? { type: DNS_NAME, value: host } : { type: IP_ADDRESS, ip: host };
}

/** Positive, and without zeros in front: DER allows none, and OpenSSL refuses such a certificate. */
function newSerialNumber(): string {
  const bytes = randomBytes(9);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.toString('hex');
}
