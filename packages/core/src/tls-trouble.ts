const TLS_CODES =
  /^(ERR_(SSL|TLS)_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;

/** What a code of Node or OpenSSL means, and which side is to be mended. The first that matches counts. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^CERT_HAS_EXPIRED$/, "the broker's certificate has expired: renew it at the broker"],
  [/^CERT_NOT_YET_VALID$/, "the broker's certificate is not valid yet: check the clocks of both sides"],
  [
    /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    "the broker's certificate does not carry the name that was connected to: connect by one that it carries, or give that as security.tls.servername",
  ],
  [
    /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|CERT_UNTRUSTED|CERT_SIGNATURE)/,
    "the broker's certificate is of an authority that is not trusted here: give that authority as security.tls.ca",
  ],
  [
    /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/,
    'the broker asks for a certificate of the client: give security.tls.cert and security.tls.key',
  ],
  [
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|DECRYPT_ERROR)/,
    "the broker refuses this client's certificate: security.tls.cert must be valid, and of an authority that the broker trusts",
  ],
  [
    /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/,
    'both sides have no version of TLS in common: see security.tls.minVersion and the settings of the broker',
  ],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|EPROTO/, 'what listens at this port does not speak TLS'],
];

/**
 * What to do about a failure of TLS, by the code of Node's or OpenSSL's error; undefined when it is not one.
 * See https://nodejs.org/api/tls.html#x509-certificate-error-codes and RFC 8446, section 6.
 */
export function tlsTrouble(code: unknown): string | undefined {
  if (typeof code !== 'string' || !TLS_CODES.test(code)) return undefined;
  return HINTS.find(([pattern]) => pattern.test(code))?.[1] ?? 'check security.tls, and TLS at the broker';
}
