import { object, resolveWith } from '../src/options-rules.js';
import { securityWarnings } from '../src/options-security.js';
import { DEFAULT_TLS, tlsChecks, tlsRule } from '../src/options-tls.js';
import { tlsTrouble } from '../src/tls-trouble.js';

const rules = { security: object({ tls: tlsRule() }) };

function tlsOf(tls: unknown): unknown {
  return resolveWith(rules, { security: { tls } }, tlsChecks).security.tls;
}

describe('TLS options', () => {
  test('true is TLS with every default, false is none, and nothing leaves it open', () => {
    expect([tlsOf(true), tlsOf({}), tlsOf(false), tlsOf(undefined)]).toEqual([
      DEFAULT_TLS,
      DEFAULT_TLS,
      false,
      undefined,
    ]);
  });

  test.each([
    ['a word', 'yes', 'security.tls'],
    ['an unknown name', { certificate: 'x' }, 'security.tls.certificate'],
    ['a version that is not safe', { minVersion: 'TLSv1' }, 'security.tls.minVersion'],
    ['a passphrase of nothing', { passphrase: 'p' }, 'security.tls.passphrase'],
    ['a certificate without its key', { cert: '-----BEGIN CERTIFICATE-----' }, 'security.tls.cert'],
    ['an authority that is none', { ca: '-----BEGIN CERTIFICATE-----\nnone' }, 'security.tls.ca'],
  ])('%s is refused', (_what, tls, path) => {
    expect(() => tlsOf(tls)).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ path })] }),
    );
  });
});

describe('warnings', () => {
  const hosts = ['localhost', '127.0.0.1', '[::1]', '10.0.0.7'];

  test('credentials without TLS to another machine', () => {
    const [warning, ...others] = securityWarnings({ tls: undefined, logsIn: true, hosts });
    expect(warning).toMatch(/without TLS to 10\.0\.0\.7:/);
    expect(others).toEqual([]);
  });

  test('servers that are not verified', () => {
    const tls = { ...DEFAULT_TLS, rejectUnauthorized: false };
    expect(securityWarnings({ tls, logsIn: true, hosts })).toEqual([
      expect.stringMatching(/rejectUnauthorized is false/),
    ]);
  });

  test.each([
    ['credentials over TLS', { tls: DEFAULT_TLS, logsIn: true, hosts }],
    ['credentials on this machine', { tls: undefined, logsIn: true, hosts: hosts.slice(0, 3) }],
    ['nothing that logs in', { tls: undefined, logsIn: false, hosts }],
  ])('none for %s', (_what, security) => {
    expect(securityWarnings(security)).toEqual([]);
  });
});

describe('trouble with TLS', () => {
  test.each([
    ['CERT_HAS_EXPIRED', /renew it at the broker/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /servername/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /tls\.ca/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /tls\.ca/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /tls\.cert and/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /refuses this client/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/],
    ['ERR_SSL_SOMETHING_NEW', /check security\.tls/],
  ])('%s says which side to mend', (code, hint) => {
    expect(tlsTrouble(code)).toMatch(hint);
  });

  test.each(['ECONNREFUSED', 'ECONNRESET', undefined, 7])('%s is something else', (code) => {
    expect(tlsTrouble(code)).toBeUndefined();
  });
});
